"""The list as a clerk with index cards keeps it: the contract's sections 2 to 5 in plain dicts.

Written from the contract and not from the service's code, so that the two check each other. It
knows four services, two places, and no time but the given day and instant. Where the contract
is silent, it does what is written beside the line.
"""

import copy

from tests.integration.simulation.clerks_calendar import day_of, instant, removal_due
from tests.integration.simulation.clerks_measures import FIGURES, KNOWN_MEASURES, applying

STRENGTH = {"allow": 0, "cap": 1, "review": 2, "deny": 3}
OUTCOME = {"restricted": "deny", "capped": "cap"}  # all other codes: review


class Refused(Exception):
    """The line changes nothing."""


def card(document):
    """How a document is filed: an organization's under the code that its uscc holds."""
    if document["type"] == "uscc":
        return "org_code", document["number"][8:17]
    return document["type"], document["number"]


class ClerksList:
    """Listings, what was said of them, who is who, and permits."""

    def __init__(self):
        self.listings = {}
        self.persons = []
        self.permits = {}
        self.used = {}
        self.sales = 0

    def copy(self):
        return copy.deepcopy(self)

    # Section 5.

    def replace(self, lines, now):
        """Take a snapshot; give the numbers of the lines that are rejected."""
        self.come_to(day_of(now))
        rejected, listed = [], {}
        for number, listing in enumerate(lines, 1):
            if not _is_listing(listing) or listing["id"] in listed:
                rejected.append(number)
            else:
                listed[listing["id"]] = listing
        for listing_id in self.listings.keys() - listed.keys():
            _end(self.listings[listing_id])
        for listing in listed.values():
            self._put(listing)
        return rejected

    def apply(self, lines, now, *, strict=False):
        """Take operations in order; give the numbers of the lines that are rejected."""
        self.come_to(day_of(now))
        before = self.copy()
        rejected = []
        for number, line in enumerate(lines, 1):
            try:
                self._take(line, day_of(now))
            except Refused:
                rejected.append(number)
        if strict and rejected:
            self.__dict__ = before.__dict__
        return rejected

    def come_to(self, today):
        """End what was delisted as of a day that has come, and whatever was said of it."""
        for entry in self.listings.values():
            if entry["delisted_on"] is not None and entry["delisted_on"] <= today:
                _end(entry)

    def _take(self, line, today):
        match line:
            case {"op": "list", "listing": listing}:
                self._list(listing)
            case {"op": "delist", "listing_id": listing_id}:
                self._delist(self._known(listing_id), line.get("on", today), today)
            case {"op": "shield", "listing_id": listing_id}:
                self._standing(listing_id)["shielded"] = True
            case {"op": "unshield", "listing_id": listing_id}:
                self._standing(listing_id)["shielded"] = False
            case {"op": "fulfil", "listing_id": listing_id}:
                self._fulfil(self._standing(listing_id), line.get("on", today), today)
            case {"op": "officers", "listing_id": listing_id, "officers": officers}:
                self._replace_officers(self._standing(listing_id), officers)
            case {"op": "retain", "listing_id": listing_id, "measures": measures, "until": until}:
                self._retain(self._known(listing_id), measures, until)
            case _:
                self._take_of_persons(line)

    def _take_of_persons(self, line):
        match line:
            case {"op": "bind", "documents": documents}:
                self._bind({card(document) for document in documents})
            case {"op": "permit", "permit": permit}:
                self._grant(permit)
            case {"op": "withdraw_permit", "permit_id": permit_id} if permit_id in self.permits:
                self.permits[permit_id]["withdrawn"] = True
            case _:
                raise Refused

    def _known(self, listing_id):
        if listing_id not in self.listings:
            raise Refused
        return self.listings[listing_id]

    def _standing(self, listing_id):
        """A listing that has ended can be neither shielded nor fulfilled: nothing is left of it."""
        entry = self._known(listing_id)
        if not entry["listed"]:
            raise Refused
        return entry

    def _list(self, listing):
        if not _is_listing(listing):
            raise Refused
        known = self.listings.get(listing["id"])
        if known and known["listed"] and known["content"]["court"] != listing["court"]:
            raise Refused  # one court cannot overwrite another's listing
        self._put(listing)

    def _put(self, listing):
        """Directives stay while their listing stands; retained measures stay anyway."""
        entry = self.listings.setdefault(listing["id"], {"listed": False, "retained": []})
        if not entry["listed"]:
            _end(entry)
        entry["listed"], entry["content"] = True, listing

    def _delist(self, entry, on, today):
        if not entry["listed"]:
            return  # said twice
        if on > today:
            entry["delisted_on"] = on
        else:
            _end(entry)

    def _fulfil(self, entry, on, today):
        if on > today:
            raise Refused  # nobody has paid tomorrow
        entry["fulfilled_on"] = on

    def _replace_officers(self, entry, officers):
        if entry["content"]["party"]["type"] == "person":
            raise Refused  # a person has none
        entry["content"] = entry["content"] | {"officers": officers}

    def _retain(self, entry, measures, until):
        if not set(measures) <= KNOWN_MEASURES:
            raise Refused
        entry["retained"].append((tuple(measures), until))

    def _bind(self, cards):
        if len({kind == "org_code" for kind, _ in cards}) > 1:
            raise Refused  # a person is no organization
        for person in [each for each in self.persons if each & cards]:
            self.persons.remove(person)
            cards |= person
        self.persons.append(cards)

    def _grant(self, permit):
        if instant(permit["valid_until"]) <= instant(permit["valid_from"]):
            raise Refused
        known = self.permits.setdefault(permit["id"], {"terms": permit, "withdrawn": False})
        if known["terms"] != permit:
            raise Refused  # another permit has this id; once withdrawn it stays withdrawn

    # Sections 2 and 3.

    def ask(self, question, now):
        """Answer one question, and use a counted permit if that is what lifts (decision 0010)."""
        decision, reasons, permit = self.expected(**question, now=now)
        if permit is not None and self.permits[permit]["terms"]["uses"] is not None:
            self.used.setdefault(permit, set()).add(self._sale(question))
        self.sales += 1
        return decision, reasons, permit

    def expected(self, document, name, service, jurisdiction, now, reference=None):
        """The decision; each reason's code, measure, role and listing; the permit that lifts."""
        today = day_of(now)
        self.come_to(today)
        reasons = frozenset(
            (
                doubt or ("removal_overdue" if overdue else code),
                measure,
                role,
                entry["content"]["id"] if entry["content"].get("public", True) else None,
            )
            for measure, roles, code in applying(service, jurisdiction)
            for entry, role, doubt in self._reaching(document, name)
            if role in roles
            for overdue in _ways(entry, measure, today)
        )
        if not reasons:
            return "allow", reasons, None
        sale = self._sale({"reference": reference, "service": service})
        if permit := self._permit(document, service, now, sale):
            return "allow", reasons, permit
        codes = {code for code, *_ in reasons}
        cap = FIGURES[jurisdiction]["cap"]
        if "capped" in codes and service["amount_fen"] > cap:
            return "deny", reasons, None
        outcomes = [OUTCOME.get(code, "review") for code in codes]
        return max(outcomes, key=STRENGTH.__getitem__), reasons, None

    def is_on_file(self, document, name):
        """Whether anything is kept that names them, in force today or not."""
        return any(
            entry["listed"] or entry["retained"] for entry, *_ in self._reaching(document, name)
        )

    def _cards_of(self, document):
        """All documents of the person who has this one."""
        own = {card(document)}
        return own.union(*(person for person in self.persons if person & own))

    def _reaching(self, document, name):
        """Every listing and role that names the person, and the doubt that it is them."""
        cards = self._cards_of(document)
        for entry in self.listings.values():
            content = entry["content"]
            holders = [("debtor", content["party"])]
            holders += [(each["role"], each) for each in content.get("officers", ())]
            for role, holder in holders:
                for listed in holder.get("documents", ()):
                    if "*" in listed["number"]:
                        # Only "this document", and only with the name (decision 0004).
                        if name == holder["name"] and _fits(listed["number"], document["number"]):
                            yield entry, role, "masked_match"
                    elif card(listed) in cards:
                        same = name in {None, holder["name"]}
                        yield entry, role, None if same else "name_mismatch"

    def _permit(self, document, service, now, sale):
        """The permit that costs the person least: uncounted first, then the one that ends first."""
        cards = self._cards_of(document)
        fitting = [
            (terms["uses"] is not None, instant(terms["valid_until"]), permit_id)
            for permit_id, each in self.permits.items()
            if not each["withdrawn"]
            for terms in [each["terms"]]
            if card(terms["document"]) in cards
            and service["type"] in terms["services"]
            and instant(terms["valid_from"]) <= now < instant(terms["valid_until"])
            and self._is_left(permit_id, terms["uses"], sale)
        ]
        return min(fitting)[2] if fitting else None

    def _is_left(self, permit_id, uses, sale):
        used = self.used.get(permit_id, set())
        return uses is None or sale in used or len(used) < uses

    def _sale(self, question):
        """One order asked about twice is one sale; without a reference each answer is one."""
        if question["reference"] is None:
            return self.sales
        return question["reference"], tuple(sorted(question["service"].items()))


def _is_listing(listing):
    """Whether the line can be read, and its term lasts."""
    published, expires = listing.get("published_on"), listing.get("expires_on")
    return "id" in listing and not (published and expires and expires <= published)


def _end(entry):
    entry |= {"listed": False, "shielded": False, "fulfilled_on": None, "delisted_on": None}


def _ways(entry, measure, today):
    """Whether the listing carries the measure today; if so, whether its removal is overdue."""
    content = entry["content"]
    if entry["shielded"] or (content.get("published_on") or today) > today:
        return
    expires = content.get("expires_on")
    if entry["listed"] and (expires is None or today < expires):
        fulfilled = entry["fulfilled_on"]
        yield fulfilled is not None and removal_due(fulfilled) < today
    elif any(measure in kept and today < until for kept, until in entry["retained"]):
        yield False


def _fits(masked, number):
    return len(masked) == len(number) and all(
        shown in {"*", known} for shown, known in zip(masked, number, strict=True)
    )
