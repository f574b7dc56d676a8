"""The list as somebody would keep it on paper, written from the contract and not from the code.

Everything is a dictionary, every question walks through all of it. Sections 2, 3 and 5 of the
contract are followed for the services of `QUESTIONS`; nothing of the service is imported.
"""

from copy import deepcopy
from datetime import timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))
FLIGHT = {"type": "air", "flight": "CZ3101"}
HOTEL = {"type": "lodging", "star_rating": 4}
RESORT = {"type": "resort", "venue": "rated_resort", "amount_fen": 100}
SCHOOL = {"type": "private_school", "annual_fee_fen": 100}
QUESTIONS = (FLIGHT, HOTEL, RESORT, SCHOOL)
# The measure of a service, nationally and in Leizhou, whether the debtor alone is meant, and the
# code where nobody is in doubt; nothing is set for caps and fees.
MEASURES = {
    "air": ("2.7.1", "2.7.1", False, "restricted"),
    "lodging": ("2.7.2", "2.7.2", False, "restricted"),
    "resort": ("2.7.3", "2.7.4", True, "cap_unset"),
    "private_school": ("2.7.4", "2.7.5", False, "threshold_unset"),
}
STRENGTH = ("allow", "review", "deny")


class Rejected(Exception):
    """A line that cannot stand; its code."""


def day_of(now):
    return now.astimezone(SHANGHAI).date()


def fits(pattern, number):
    return len(pattern) == len(number) and all(
        shown in {"*", real} for shown, real in zip(pattern, number, strict=True)
    )


class NaiveList:
    """`listings`: id to its latest content; the rest says what the court said besides."""

    def __init__(self):
        self.listings = {}
        self.in_force = set()
        self.delisted_on = {}
        self.shielded = set()
        self.fulfilled_on = {}
        self.retained = {}
        self.groups = []
        self.permits = {}
        self.withdrawn = set()
        self.uses = {}

    def copy(self):
        return deepcopy(self)

    # What the court says.

    def say(self, operation, today):
        """Do what a line says, or raise Rejected."""
        getattr(self, operation["op"])(operation, today)

    def replace(self, listings, today):
        """Take a snapshot: it is the whole list."""
        for listing_id in list(self.in_force):
            if listing_id not in {listing["id"] for listing in listings}:
                self._end(listing_id)
        for listing in listings:
            self._put(listing, today)

    def list(self, operation, today):
        listing = operation["listing"]
        known = self.listings.get(listing["id"])
        if self._stands(listing["id"], today) and known["court"] != listing["court"]:
            raise Rejected("id-taken")
        self._put(listing, today)

    def delist(self, operation, today):
        listing_id = self._known(operation)
        if not self._stands(listing_id, today):
            return
        if operation["on"] > today:
            self.delisted_on[listing_id] = operation["on"]
        else:
            self._end(listing_id)

    def shield(self, operation, today):
        self.shielded.add(self._standing(operation, today))

    def unshield(self, operation, today):
        self.shielded.discard(self._standing(operation, today))

    def fulfil(self, operation, today):
        if operation["on"] > today:
            raise Rejected("in-the-future")
        self.fulfilled_on[self._standing(operation, today)] = operation["on"]

    def officers(self, operation, today):
        listing_id = self._standing(operation, today)
        if self.listings[listing_id]["party"]["type"] == "person":
            raise Rejected("invalid-operation")
        content = {"officers": operation["officers"]}
        self.listings[listing_id] = self.listings[listing_id] | content

    def retain(self, operation, today):
        listing_id = self._known(operation)
        kept = (tuple(operation["measures"]), operation["until"])
        self.retained.setdefault(listing_id, set()).add(kept)

    def bind(self, operation, today):
        bound = {(document["type"], document["number"]) for document in operation["documents"]}
        together = [group for group in self.groups if group & bound]
        self.groups = [group for group in self.groups if not group & bound]
        self.groups.append(bound.union(*together))

    def permit(self, operation, today):
        permit = operation["permit"]
        if self.permits.setdefault(permit["id"], permit) != permit:
            raise Rejected("id-taken")

    def withdraw_permit(self, operation, today):
        if operation["permit_id"] not in self.permits:
            raise Rejected("unknown-permit")
        self.withdrawn.add(operation["permit_id"])

    # What a check is answered.

    def answer(self, document, name, service, place, now):
        """Give the decision, the reasons as a set, and the permit; uses of permits are counted."""
        today = day_of(now)
        reasons = {
            (code, measure, role, listing_id if self.listings[listing_id]["public"] else None)
            for listing_id, role, doubt, kept in self._links(document, name, today)
            for code, measure in self._restricted(service, place, role, kept)
            for code in [doubt or self._overdue(listing_id, kept, today) or code]
        }
        if not reasons:
            return "allow", frozenset(), None
        permit = self._permit(document, service, now)
        if permit is not None:
            self.uses[permit] = self.uses.get(permit, 0) + 1
            return "allow", frozenset(reasons), permit
        strongest = "deny" if any(code == "restricted" for code, *_ in reasons) else "review"
        return strongest, frozenset(reasons), None

    def _links(self, document, name, today):
        """Who is meant: (listing, role, what is in doubt, the measures kept or None for all)."""
        mine = next((group for group in self.groups if document in group), {document})
        for listing_id, listing in self.listings.items():
            if listing["published_on"] > today:
                continue
            for role, holder in self._holders(listing):
                doubts = {self._doubt(each, holder, document, name, mine) for each in holder[1]}
                for doubt in doubts - {"nobody"}:
                    yield from (
                        (listing_id, role, doubt, kept)
                        for kept in self._holds(listing_id, listing, today)
                    )

    def _holders(self, listing):
        yield "debtor", _holder(listing["party"])
        for officer in listing["officers"]:
            yield officer["role"], _holder(officer)

    def _doubt(self, listed, holder, document, name, mine):
        kind, number = listed
        if "*" in number:
            same = name == holder[0] and document[0] == kind and fits(number, document[1])
            return "masked_match" if same else "nobody"
        if listed not in mine:
            return "nobody"
        return None if name in {None, holder[0]} else "name_mismatch"

    def _holds(self, listing_id, listing, today):
        """None if all measures hold, or each set of measures that is kept."""
        if listing_id in self.shielded:
            return
        expires = listing["expires_on"]
        if self._stands(listing_id, today) and (expires is None or today < expires):
            yield None
            return
        for measures, until in self.retained.get(listing_id, ()):
            if today < until:
                yield measures

    def _restricted(self, service, place, role, kept):
        national, local, debtor_alone, code = MEASURES[service["type"]]
        if debtor_alone and role != "debtor":
            return
        measures = [f"cn-2016-64/{national}"]
        if place == "440882":
            measures.append(f"leizhou/{local}")
        for measure in measures:
            if kept is None or measure in kept:
                yield code, measure

    def _overdue(self, listing_id, kept, today):
        fulfilled = self.fulfilled_on.get(listing_id)
        if kept is None and fulfilled is not None and today > fulfilled + timedelta(days=3):
            return "removal_overdue"
        return None

    def _permit(self, document, service, now):
        mine = next((group for group in self.groups if document in group), {document})
        usable = [
            (permit["uses"] is not None, permit["valid_until"], permit_id)
            for permit_id, permit in self.permits.items()
            if permit_id not in self.withdrawn
            and (permit["document"]["type"], permit["document"]["number"]) in mine
            and service["type"] in permit["services"]
            and permit["valid_from"] <= now < permit["valid_until"]
            and (permit["uses"] is None or self.uses.get(permit_id, 0) < permit["uses"])
        ]
        return min(usable)[-1] if usable else None

    # What stands.

    def _stands(self, listing_id, today):
        delisted_on = self.delisted_on.get(listing_id)
        return listing_id in self.in_force and (delisted_on is None or delisted_on > today)

    def _put(self, listing, today):
        if not self._stands(listing["id"], today):
            self._end(listing["id"])
        self.listings[listing["id"]] = listing
        self.in_force.add(listing["id"])

    def _end(self, listing_id):
        """With a listing goes what was said of it, but for what is kept after its end."""
        self.in_force.discard(listing_id)
        self.shielded.discard(listing_id)
        self.delisted_on.pop(listing_id, None)
        self.fulfilled_on.pop(listing_id, None)

    def _known(self, operation):
        if operation["listing_id"] not in self.listings:
            raise Rejected("unknown-listing")
        return operation["listing_id"]

    def _standing(self, operation, today):
        listing_id = self._known(operation)
        if not self._stands(listing_id, today):
            raise Rejected("listing-ended")
        return listing_id


def _holder(holder):
    documents = [(document["type"], document["number"]) for document in holder["documents"]]
    return holder["name"], documents
