"""A deployment whose cache is the twin in memory and whose registry is a real PostgreSQL.

Either can be taken away, and every statement that a check sends to the registry is counted. The
time of leases and vouches stands still until a test moves it.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.memory import MemoryStandingCache, MemoryStore
from cache.memory_list_writer import MemoryListWriter
from cache.memory_replica_source import MemoryReplicaSource
from cache.replica_keeper import ReplicaKeeper
from cache.token import Tokenizer
from cache.token_key import TokenKeys
from checker.checks.checks import Checks, Decided
from checker.checks.registry_check import RegistryCheck
from checker.database.engine import open_engine
from checker.database.token_column import keys_of
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import NATION
from checker.domain.service import Air, Service
from checker.intake.snapshot import SnapshotFeed
from checker.policy.loader import builtin_policies, load_policies
from checker.publication.registry_lease import RegistryWord
from checker.registry.prepared_check import PreparedCheck, PreparedSubject
from checker.registry.sealing import Sealer
from checker.registry.shape_markers import MARKERS
from checker.vault import Vault
from tests.support.fake_clock import FakeClock
from tests.support.token_keys import held_keys, open_registry

AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
STALE_AFTER_MS = 1_000
KEY = bytes(32)
NOWHERE = "postgresql://nobody@/nothing?host=/nonexistent"

DEBTOR = "440882189001011230"
OFFICER = "440882188501010221"
INNOCENT = "440882187307041230"
FLIGHT = Air(flight="CZ3101")


class Grounds:
    """One node: what it opens, and what a test may do to it.

    The seconds of `clock` are the time of leases and vouches.
    """

    def __init__(self, engine: AsyncEngine, asked: AsyncEngine) -> None:
        self.clock = FakeClock(AT)
        self.statements = 0
        self.found_incomplete = 0
        self.memory = MemoryStore(clock=self.clock)
        self._engine = engine
        self._sealer = Sealer(Tokenizer(KEY), Vault(KEY))
        self._token_keys = keys_of(engine)
        self.cache = MemoryStandingCache(self.memory, token_keys=self._token_keys)
        self.list_writer = MemoryListWriter(self.memory, token_keys=self._token_keys)
        replica_source = MemoryReplicaSource(self.memory, token_keys=self._token_keys)
        self.replica = ReplicaKeeper(
            "node", replica_source, RegistryWord(asked).renew, clock=self.clock, markers=MARKERS
        )
        policies = load_policies(builtin_policies(), {})
        self.checks = Checks(
            replica=self.replica,
            cache=self.cache,
            registry=RegistryCheck(engine=asked, sealer=self._sealer, policies=policies),
            sealer=self._sealer,
            policies=policies,
            clock=self.clock,
            stale_after_ms=STALE_AFTER_MS,
            report_incomplete=self._note_incomplete,
        )
        event.listen(asked.sync_engine, "before_cursor_execute", self._count)

    async def publish(self, *lines: dict[str, Any]) -> int:
        """Put a list in force in the registry and the cache, which is vouched for."""
        version = await self._put(self.cache, lines)
        await self.vouch()
        return version

    async def publish_elsewhere(self, *lines: dict[str, Any]) -> int:
        """Put a list in force of which this node's cache hears nothing."""
        elsewhere = MemoryStandingCache(MemoryStore(), token_keys=self._token_keys)
        return await self._put(elsewhere, lines)

    async def vouch(self) -> None:
        """Say that the cache holds the newest list, as a publisher does."""
        state = await self.list_writer.state()
        assert state.generation is not None
        assert state.head is not None
        assert await self.list_writer.vouch(state.generation, state.head.position, asked_ms_ago=0)

    async def hold_lease(self) -> None:
        """Load the replica, and let a heartbeat renew its lease."""
        while not self.replica.holds_lease:
            await self.replica.read_once()
            await self.vouch()

    async def ask(self, *numbers: str, service: Service = FLIGHT) -> Decided:
        self.statements = 0
        prepared = [self._check(number, service) for number in numbers]
        return await self.checks.decide(prepared, account_id=None)

    async def kept(self) -> list[Any]:
        """Every decision that the registry keeps, in order."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(text("SELECT * FROM decision ORDER BY id"))
            return list(rows.all())

    async def _put(self, cache: MemoryStandingCache, lines: Sequence[dict[str, Any]]) -> int:
        feed = SnapshotFeed(
            engine=self._engine,
            cache=cache,
            sealer=self._sealer,
            token_keys=self._token_keys,
            clock=self.clock,
            in_force=_at_once,
        )
        report = await feed.replace(_chunks(lines), allow_empty=True, allow_shrink=True)
        assert report.accepted == len(lines), report.rejected
        return report.version

    def _check(self, number: str, service: Service) -> PreparedCheck:
        document = Document(type=DocumentType.RESIDENT_ID, number=number)
        token = self._sealer.document_token(document)
        subject = PreparedSubject(token=token, document=document)
        return PreparedCheck(subject=subject, service=service, jurisdiction=NATION)

    def _note_incomplete(self) -> None:
        self.found_incomplete += 1

    def _count(self, *_details: object) -> None:
        self.statements += 1


@asynccontextmanager
async def open_grounds(
    database_url: str, *, asked_url: str | None = None, keys: TokenKeys | None = None
) -> AsyncIterator[Grounds]:
    """Open a node with these keys; `asked_url` is where its checks look for the registry."""
    keys = keys or held_keys()
    async with AsyncExitStack() as stack:
        opening = open_registry(database_url, keys=keys, timeout_s=None)
        engine = await stack.enter_async_context(opening)
        asking = open_engine(asked_url or database_url, token_keys=keys)
        asked = await stack.enter_async_context(asking)
        yield Grounds(engine, asked)


def listing(number: str, listing_id: str = "1", **changes: Any) -> dict[str, Any]:
    documents = [{"type": "resident_id", "number": number}]
    return {
        "id": listing_id,
        "case_number": "（2016）粤0882执1号",
        "court": "雷州市人民法院",
        "published_on": date(2016, 7, 7).isoformat(),
        "party": {"type": "person", "name": "陈示例", "documents": documents},
        **changes,
    }


async def _at_once(_version: int) -> None:
    """Wait for nobody: the test says when the node learns of it."""


async def _chunks(lines: Sequence[dict[str, Any]]) -> AsyncIterator[bytes]:
    for line in lines:
        yield json.dumps(line).encode() + b"\n"


def told(decided: Decided) -> list[str]:
    return [decision.outcome.value for decision in decided.decisions]


def reasons(decided: Decided) -> list[str]:
    built = msgspec.to_builtins(decided.decisions)
    return [reason["listing"]["id"] for decision in built for reason in decision["reasons"]]
