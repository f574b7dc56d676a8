"""The town on its record in PostgreSQL; listings of its people go through the feed."""

from contextlib import asynccontextmanager
from itertools import count

import msgspec
from sqlalchemy import insert, text

from checker.accounts.schema import account
from checker.intake.changes import ChangesFeed
from checker.policy.loader import builtin_policies, load_policies
from checker.spending.opening import SESSION_SETTINGS
from checker.spending.postgres_store import PostgresSpendingStore
from tests.integration.spending.spending_grounds import (
    AT,
    COURT,
    MERCHANT,
    NAME,
    NUMBERS,
    OTHER_MERCHANT,
    SETTINGS,
    Merchants,
    document_line,
    person_of,
    sealer,
)
from tests.support.fake_clock import FakeClock
from tests.support.token_keys import open_registry

_ACCOUNTS = (MERCHANT, OTHER_MERCHANT)


class PostgresTown:
    """The town on its record; listings of its people go through the feed."""

    def __init__(self, engine, for_spending):
        self.clock = FakeClock(AT)
        self.sealer = sealer()
        self._keys = count()
        self.engine = engine
        self.store = PostgresSpendingStore(for_spending, self.sealer, self.clock)
        policies = load_policies(builtin_policies(), {})
        self._feed = ChangesFeed(
            engine=engine,
            sealer=self.sealer,
            clock=self.clock,
            measures=policies.measure_ids,
            in_force=_at_once,
        )

    async def open(self):
        rows = [{"id": each, "name": each, "role": "institution"} for each in _ACCOUNTS]
        async with self.engine.begin() as connection:
            await connection.execute(insert(account), rows)
        await self._apply()

    async def aclose(self):
        await self._feed.aclose()

    async def list(self, person, *, overdue=False, **listing):
        await self._apply({"op": "list", "listing": _listing(person) | listing})
        if overdue:
            identity = {"listing_id": f"listing-{person}", "on": "2026-01-01"}
            await self._apply({"op": "fulfil", **identity})

    async def list_officer_of(self, person):
        numbers = [{"type": "uscc", "number": NUMBERS.uscc(person)}]
        party = {"type": "organization", "name": "示例有限公司", "documents": numbers}
        officer = {
            "role": "legal_representative",
            "name": "示例人",
            "documents": [document_line(person)],
        }
        listing = _listing(person) | {"party": party, "officers": [officer]}
        await self._apply({"op": "list", "listing": listing})

    async def delist(self, person):
        line = {"op": "delist", "listing_id": f"listing-{person}", "ground": "fulfilled"}
        await self._apply(line | {"on": "2026-11-01"})

    async def bind(self, person, *others):
        documents = [document_line(*person_of(each)) for each in (person, *others)]
        await self._apply({"op": "bind", "documents": documents})

    async def permit(self, person, **changes):
        permit = {
            "id": "permit-1",
            "document": document_line(person),
            "services": ["resort"],
            "valid_from": "2026-11-01",
            "valid_until": "2026-12-31",
            "uses": None,
            "court": COURT,
            "ground": "x",
        }
        await self._apply({"op": "permit", "permit": permit | changes})

    async def decisions(self):
        rows = await self.query("SELECT outcome, id::text FROM decision ORDER BY at, id")
        return [tuple(row) for row in rows]

    async def query(self, statement, **parameters):
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement), parameters)).all()

    def merchants(self, settings=SETTINGS):
        return Merchants(self.store, self.sealer, self.clock, keys=self._keys, settings=settings)

    async def _apply(self, *operations):
        report = await self._feed.apply(_lines(operations))
        assert report.rejected == ()


@asynccontextmanager
async def postgres_town(database_url, keys=None):
    async with (
        open_registry(database_url, keys=keys, timeout_s=None) as engine,
        spending_engine(database_url, keys=keys) as for_spending,
    ):
        town = PostgresTown(engine, for_spending)
        await town.open()
        try:
            yield town
        finally:
            await town.aclose()


def spending_engine(database_url, keys=None):
    """Connections as those of a process that spends."""
    return open_registry(database_url, keys=keys, settings=SESSION_SETTINGS)


def _listing(person):
    return {
        "id": f"listing-{person}",
        "case_number": f"（2026）粤0882执{person}号",
        "court": COURT,
        "published_on": "2026-01-01",
        "party": {
            "type": "person",
            "name": NAME,
            "documents": [document_line(*person_of(person))],
        },
    }


async def _lines(operations):
    for operation in operations:
        yield msgspec.json.encode(operation) + b"\n"


async def _at_once(_version):
    pass
