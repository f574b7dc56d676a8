"""An independent oracle of endings: plain Python over the record before and after each change.

It knows nothing of the statements of the service. It holds all rows of the list in memory, compares
the rows in force after a change with those before it, and judges holders one by one.
"""

from checker.domain.clock import shanghai_day
from tests.support.registry_grounds import query

TABLES = ("change", "listing", "document", "directive", "bound_document", "permit")


class State:
    """The rows that are in force as one version; `known` are the listing rows of all versions."""

    def __init__(self, tables, version):
        def in_force(table):
            return [
                row
                for row in tables[table]
                if row.from_version <= version
                and (row.until_version is None or row.until_version > version)
            ]

        self.listings = {row.id: row for row in in_force("listing")}
        self.directives = {row.pk: row for row in in_force("directive")}
        self.permits = {row.id: row for row in in_force("permit")}
        self.known = [row for row in tables["listing"] if row.from_version <= version]
        self._persons = {row.token: row.person for row in in_force("bound_document")}

    def same_person(self, token):
        """The token, and all tokens that are bound to it."""
        person = self._persons.get(token)
        bound = {each for each, other in self._persons.items() if other == person and person}
        return bound | {token}

    def said(self, listing_id, kind):
        return [
            row
            for row in self.directives.values()
            if row.listing_id == listing_id and row.kind == kind
        ]

    def kept(self, listing_id, day):
        kept = [row for row in self.said(listing_id, "retention") if row.on > day]
        return tuple(sorted({measure for row in kept for measure in row.measures}))


class Oracle:
    """The record, read once."""

    def __init__(self, tables):
        self._tables = tables
        self._documents = {}
        for row in tables["document"]:
            self._documents.setdefault(row.listing_pk, []).append(row)

    @classmethod
    async def read(cls, node):
        return cls({table: await query(node, f"SELECT * FROM {table}") for table in TABLES})

    def endings(self):
        """All endings of all changes.

        Version, listing, ground, day, roles, permit, measures; of a permit also the token of the
        document that a binding brings.
        """
        found = set()
        for change in self._tables["change"]:
            before = State(self._tables, change.version - 1)
            after = State(self._tables, change.version)
            day = shanghai_day(change.at)
            for one in (
                *self._final(before, after, day),
                *self._lifted(before, after, day),
                *self._permitted(before, after, change.at, day),
            ):
                found.add((change.version, *one))
        return found

    def _final(self, before, after, day):
        delisted = {
            row.listing_id: row
            for pk, row in after.directives.items()
            if pk not in before.directives and row.kind == "delisting" and row.on <= day
        }
        for listing_id, row in delisted.items():
            yield listing_id, row.ground, row.on, None, None, after.kept(listing_id, day)
        for listing_id, old in before.listings.items():
            new = after.listings.get(listing_id)
            if listing_id in delisted or (new is not None and new.pk == old.pk):
                continue
            kept = after.kept(listing_id, day)
            if new is None:
                yield listing_id, "removed", None, None, None, kept
            elif new.expires_on is not None and new.expires_on <= day:
                yield listing_id, "expired", new.expires_on, None, None, kept

    def _lifted(self, before, after, day):
        for pk, row in after.directives.items():
            if pk not in before.directives and row.kind == "shielding":
                yield row.listing_id, "shielded", None, None, None, ()
        for listing_id, old in before.listings.items():
            new = after.listings.get(listing_id)
            if new is None or (new.expires_on is not None and new.expires_on <= day):
                continue
            gone = self._gone(old, new, after)
            if "debtor" in gone:
                yield listing_id, "party_replaced", None, ("debtor",), None, ()
            if officers := tuple(sorted(gone - {"debtor"})):
                yield listing_id, "officer_left", None, officers, None, ()

    def _gone(self, old, new, after):
        """Return the roles of the holders that the old row names and the new row does not."""
        holders, gone = {}, set()
        for row in self._documents.get(old.pk, ()):
            holders.setdefault(row.officer_pk, []).append(row)
        for own in holders.values():
            tokens = {token for row in own for token in after.same_person(row.token)}
            is_there = any(
                row.token in tokens
                or any(
                    (row.masked or each.masked) and row.name_token == each.name_token
                    for each in own
                )
                for row in self._documents.get(new.pk, ())
            )
            if not is_there:
                roles = {row.role for row in own}
                if "debtor" not in roles:
                    earlier = self._roles(old.id, {row.token for row in own}, after)
                    roles |= earlier - {"debtor"}
                gone |= roles
        return gone

    def _roles(self, listing_id, tokens, after):
        """The roles of documents in all rows of a listing so far."""
        return {
            each.role
            for row in after.known
            if row.id == listing_id
            for each in self._documents.get(row.pk, ())
            if each.token in tokens
        }

    def _permitted(self, before, after, at, day):
        for permit in after.permits.values():
            if not permit.valid_from <= at < permit.valid_until:
                continue
            bound = after.same_person(permit.token)
            newly = bound - before.same_person(permit.token)
            if permit.id in before.permits and not newly:
                continue
            of_documents = sorted(newly) if permit.id in before.permits else [None]
            stands, roles = set(), {}
            for row in after.known:
                for each in self._documents.get(row.pk, ()):
                    if each.token == permit.token or (each.token in bound and not each.masked):
                        roles.setdefault(row.id, set()).add(each.role)
                        stands |= {row.id} if self._stands(row, after, day) else set()
            for listing_id in stands:
                those = tuple(sorted(roles[listing_id]))
                for token in of_documents:
                    yield listing_id, "permit", None, those, permit.id, (), token

    def _stands(self, row, after, day):
        """Whether a row of a listing restricts on a day, in full or by a retention."""
        delisted_on = [each.on for each in after.said(row.id, "delisting")]
        is_shielded = bool(after.said(row.id, "shielding"))
        if row.published_on is not None and row.published_on > day:
            return False
        ends = [each for each in (row.expires_on, *delisted_on) if each is not None]
        in_full = after.listings.get(row.id) is row and all(day < each for each in ends)
        if in_full and not is_shielded:
            return True
        is_latest = all(
            each.from_version <= row.from_version for each in after.known if each.id == row.id
        )
        hidden = is_shielded and not any(each <= day for each in delisted_on)
        return is_latest and not hidden and bool(after.kept(row.id, day))


async def written(node, *, after=0):
    """The endings that the changes after a version wrote, in the oracle's form."""
    rows = await query(node, "SELECT * FROM ending WHERE version > :after", after=after)
    return [
        (
            row.version,
            row.listing_id,
            row.ground,
            row.on,
            None if row.roles is None else tuple(sorted(row.roles)),
            row.permit_id,
            tuple(sorted(row.kept or ())),
            *((row.token,) if row.permit_id is not None else ()),
        )
        for row in rows
    ]
