"""A small town whose people spend: the same over the record in PostgreSQL and over its twin."""

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count

import msgspec
from sqlalchemy import insert, text

from cache.token import Tokenizer
from checker.accounts.schema import account
from checker.database.engine import open_engine
from checker.domain.clock import CapPeriod
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import NATION, parse_jurisdiction
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.service import Resort, ServiceType
from checker.domain.service_terms import ResortVenue
from checker.domain.settings import Settings
from checker.domain.standing import NOT_LISTED, Link, ListingRef, Standing
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.changes import ChangesFeed
from checker.registry.sealing import Sealer
from checker.spending.memory_store import MemorySpendingStore
from checker.spending.opening import SESSION_SETTINGS
from checker.spending.postgres_store import PostgresSpendingStore
from checker.spending.spending import Sale, Spending
from checker.vault import Vault
from loadtest.document_numbers import NumberSpace

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
CAP = 1_000
TOWN = parse_jurisdiction("4408")
"""A place with a cap of its own, by the day, on a counter of its own."""
TOWN_CAP = 300
VILLAGE = parse_jurisdiction("440882")
"""A place with a cap of its own that is counted with the whole country's."""
VILLAGE_CAP = 400
SETTINGS = {
    NATION: Settings(resort_cap_fen=CAP, resort_cap_period=CapPeriod.MONTH),
    TOWN: Settings(
        resort_cap_fen=TOWN_CAP, resort_cap_period=CapPeriod.DAY, resort_cap_counter=TOWN
    ),
    VILLAGE: Settings(
        resort_cap_fen=VILLAGE_CAP, resort_cap_period=CapPeriod.MONTH, resort_cap_counter=NATION
    ),
}
MERCHANT, OTHER_MERCHANT = "merchant", "other merchant"
COURT = "雷州市人民法院"

_numbers = NumberSpace(18)


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, instant=AT):
        self.instant = instant

    def now(self):
        return self.instant

    def move(self, **by):
        self.instant += timedelta(**by)


class Merchants:
    """Two merchants at one counter, who order under keys of their own unless they say which."""

    def __init__(self, store, sealer, clock, *, keys, settings=SETTINGS):
        policies = load_policies(builtin_policies(), settings)
        self.spending = Spending(store, sealer=sealer, policies=policies, clock=clock)
        self._keys = keys

    async def authorize(
        self, person, amount_fen, *, by=MERCHANT, key=None, kind="resident_id", name=None, **more
    ):
        asked = {"jurisdiction": NATION, "venue": ResortVenue.RATED_RESORT} | more
        sale = Sale(
            document=document(person, kind),
            name=name,
            service=Resort(venue=asked.pop("venue"), amount_fen=amount_fen),
            **asked,
        )
        return await self.spending.authorize(by, key or self._key(), sale)

    async def increment(self, held, amount_fen, *, by=MERCHANT, key=None, **more):
        key = key or self._key()
        return await self.spending.increment(by, key, held.id, amount_fen, **more)

    async def capture(self, held, amount_fen, *, by=MERCHANT, key=None):
        return await self.spending.capture(by, key or self._key(), held.id, amount_fen)

    async def void(self, held, *, by=MERCHANT, key=None):
        return await self.spending.void(by, key or self._key(), held.id)

    async def refund(self, held, amount_fen, *, by=MERCHANT, key=None):
        return await self.spending.refund(by, key or self._key(), held.id, amount_fen)

    async def find(self, held, *, by=MERCHANT):
        return await self.spending.find(by, held.id)

    def _key(self):
        return f"key {next(self._keys)}"


class MemoryTown:
    """The town as the twin is told of it."""

    def __init__(self):
        self.clock = SetClock()
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
            overdue_from=date(2026, 1, 5) if listing.pop("overdue", False) else None,
            listing=ListingRef(id=f"listing-{person}", case_number="1", court=COURT, **listing),
        )
        self._links[self._token(person)] = (link,)

    async def list_officer_of(self, person):
        """List a company of which this person is the legal representative."""
        ref = ListingRef(id=f"company-{person}", case_number="1", court=COURT)
        link = Link(role=Role.LEGAL_REPRESENTATIVE, listing=ref)
        self._links[self._token(person)] = (link,)

    async def delist(self, person):
        del self._links[self._token(person)]

    async def bind(self, person, *others):
        group = frozenset().union(*(self._group(self._token(each)) for each in (person, *others)))
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
        self._permits[self._token(person)] = (permit,)

    async def decisions(self):
        return [(each.outcome.value, each.id) for each in self.store.decisions]

    def merchants(self, settings=SETTINGS):
        return Merchants(self.store, self.sealer, self.clock, keys=self._keys, settings=settings)

    def _token(self, person):
        return self.sealer.document_token(document(*_person(person)))

    def _group(self, token):
        return self._persons.get(token, frozenset({token}))

    def _standing(self, question):
        group = self._group(question.tokens[0])
        links = tuple(link for token in group for link in self._links.get(token, ()))
        if not links:
            return NOT_LISTED
        permits = tuple(permit for token in group for permit in self._permits.get(token, ()))
        return Standing(links=links, permits=permits)


class PostgresTown:
    """The town on its record; what is told of its people goes through the feed."""

    def __init__(self, engine, for_spending):
        self.clock = SetClock()
        self.sealer = sealer()
        self._keys = count()
        self.engine = engine
        self.store = PostgresSpendingStore(for_spending, self.sealer.vault, self.clock)
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
        numbers = [{"type": "uscc", "number": _numbers.uscc(person)}]
        party = {"type": "organization", "name": "示例有限公司", "documents": numbers}
        officer = {
            "role": "legal_representative",
            "name": "示例人",
            "documents": [_document_line(person)],
        }
        listing = _listing(person) | {"party": party, "officers": [officer]}
        await self._apply({"op": "list", "listing": listing})

    async def delist(self, person):
        line = {"op": "delist", "listing_id": f"listing-{person}", "ground": "fulfilled"}
        await self._apply(line | {"on": "2026-11-01"})

    async def bind(self, person, *others):
        documents = [_document_line(*_person(each)) for each in (person, *others)]
        await self._apply({"op": "bind", "documents": documents})

    async def permit(self, person, **changes):
        permit = {
            "id": "permit-1",
            "document": _document_line(person),
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
async def postgres_town(database_url):
    async with (
        open_engine(database_url, timeout_s=None) as engine,
        spending_engine(database_url) as for_spending,
    ):
        town = PostgresTown(engine, for_spending)
        await town.open()
        try:
            yield town
        finally:
            await town.aclose()


def spending_engine(database_url):
    """Connections as those of a process that spends."""
    return open_engine(database_url, settings=SESSION_SETTINGS)


def sealer():
    return Sealer(Tokenizer(bytes(range(32))), Vault(bytes(range(32, 64))))


def document(person, kind="resident_id"):
    return Document(type=DocumentType(kind), number=_number(person, kind))


_ACCOUNTS = (MERCHANT, OTHER_MERCHANT)


def _person(person):
    """A person by the resident ID, or (person, kind) by another document."""
    return person if isinstance(person, tuple) else (person, "resident_id")


def _number(person, kind):
    match kind:
        case "passport":
            return f"P{1_000_000 + person}"
        case "uscc":
            return _numbers.uscc(person)
        case _:
            return _numbers.resident_id(person, "0704")


def _document_line(person, kind="resident_id"):
    return {"type": kind, "number": _number(person, kind)}


def _listing(person):
    return {
        "id": f"listing-{person}",
        "case_number": f"（2026）粤0882执{person}号",
        "court": COURT,
        "published_on": "2026-01-01",
        "party": {
            "type": "person",
            "name": "示例人",
            "documents": [_document_line(person)],
        },
    }


async def _lines(operations):
    for operation in operations:
        yield msgspec.json.encode(operation) + b"\n"


async def _at_once(_version):
    pass
