"""The town in the twin in memory."""

from datetime import date, timedelta
from itertools import count

import msgspec

from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.standing import NOT_LISTED, Link, ListingRef, Standing
from checker.registry.document_key import DocumentKey
from checker.spending.memory_store import MemorySpendingStore
from checker.spending.persons import counted_documents, shown_issuer
from tests.integration.spending.spending_grounds import (
    AT,
    COURT,
    SETTINGS,
    Merchants,
    document,
    person_of,
    sealer,
)
from tests.support.fake_clock import FakeClock


class MemoryTown:
    """The town in the twin."""

    def __init__(self):
        self.clock = FakeClock(AT)
        self.sealer = sealer()
        self._keys = count()
        self._links = {}
        self._permits = {}
        self._persons = {}
        self.store = MemorySpendingStore(
            self.clock, standing=self._standing, group=self._group, list_version=1
        )

    async def list(self, person, **listing):
        link = Link(
            role=Role.DEBTOR,
            starts_on=date(2026, 1, 1),
            fulfilled_on=date(2026, 1, 4) if listing.pop("overdue", False) else None,
            listing=ListingRef(id=f"listing-{person}", case_number="1", court=COURT, **listing),
        )
        self._links[self._key(person)] = (link,)

    async def list_officer_of(self, person):
        """List a company of which this person is the legal representative."""
        ref = ListingRef(id=f"company-{person}", case_number="1", court=COURT)
        link = Link(role=Role.LEGAL_REPRESENTATIVE, listing=ref)
        self._links[self._key(person)] = (link,)

    async def delist(self, person):
        del self._links[self._key(person)]

    async def bind(self, person, *others):
        group = frozenset().union(*(self._group(self._key(each)) for each in (person, *others)))
        self._persons |= dict.fromkeys(group, group)

    async def permit(self, person, **_changes):
        permit = Permit(
            id="permit-1",
            services=frozenset({ServiceType.RESORT}),
            valid_from=AT,
            valid_until=AT + timedelta(days=7),
            uses_left=None,
            court=COURT,
            ground="x",
        )
        self._permits[self._key(person)] = (permit,)

    async def decisions(self):
        return [(each.outcome.value, each.id) for each in self.store.decisions]

    def merchants(self, settings=SETTINGS):
        return Merchants(self.store, self.sealer, self.clock, keys=self._keys, settings=settings)

    def _key(self, person):
        listed = document(*person_of(person))
        return DocumentKey(self.sealer.document_token(listed), shown_issuer(listed))

    def _group(self, key):
        return self._persons.get(key, frozenset({key}))

    def _standing(self, subject):
        [key] = counted_documents(msgspec.structs.replace(subject, also=()), ()).values()
        group = self._group(key)
        links = tuple(
            link
            for each in group
            for own, found in self._links.items()
            for link in found
            if each.may_be(own)
        )
        if not links:
            return NOT_LISTED
        permits = tuple(permit for each in group for permit in self._permits.get(each, ()))
        return Standing(links=links, permits=permits)
