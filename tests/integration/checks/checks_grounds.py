"""A deployment whose cache is the twin in memory and whose registry is a real PostgreSQL.

Either can be taken away, and every statement that a check sends to the registry is counted.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.breaker import Breaker
from cache.memory import Memory, MemoryStandingCache
from cache.token import Tokenizer
from checker.checks.checks import Checks, Decided
from checker.checks.request import PreparedCheck
from checker.database.engine import open_engine
from checker.database.locks import Lock, hold
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import NATION
from checker.domain.service import Air, Service
from checker.policy.loader import builtin_policies, load_policies
from checker.registry.publisher import Publisher
from checker.registry.sealing import Sealer
from checker.registry.snapshot import SnapshotFeed
from checker.vault import Vault

AT = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
STALE_AFTER_MS = 1_000
PAUSE_S = 0.5
KEY = bytes(32)
NOWHERE = "postgresql://nobody@/nothing?host=/nonexistent"

DEBTOR = "440882189001011230"
OFFICER = "440882188501010221"
INNOCENT = "440882187307041230"
FLIGHT = Air(flight="CZ3101")


class SetClock:
    """A clock that stands until it is set."""

    def __init__(self, instant: datetime = AT) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


class Grounds:
    """One node: what it opens, and what a test may do to it."""

    def __init__(self, memory: Memory, engine: AsyncEngine, asked: AsyncEngine) -> None:
        self.memory = memory
        self.clock = SetClock()
        self.seconds = 0.0
        self.statements = 0
        self._engine = engine
        self._sealer = Sealer(Tokenizer(KEY), Vault(KEY))
        self._token_key = Tokenizer(KEY).fingerprint
        self.cache = MemoryStandingCache(memory, token_key=self._token_key)
        self.publisher = Publisher(engine, self.cache, self._token_key)
        self.checks = Checks(
            cache=self.cache,
            engine=asked,
            sealer=self._sealer,
            publisher=self.publisher,
            policies=load_policies(builtin_policies(), {}),
            clock=self.clock,
            registry_breaker=Breaker(clock=lambda: self.seconds, pause_s=PAUSE_S),
            stale_after_ms=STALE_AFTER_MS,
        )
        event.listen(asked.sync_engine, "before_cursor_execute", self._count)

    async def publish(self, *lines: dict[str, Any]) -> int:
        """Put a list in force, here too, and let the node see it."""
        version = await self._put(self.cache, lines)
        await self.publisher.look()
        return version

    async def publish_elsewhere(self, *lines: dict[str, Any]) -> int:
        """Put a list in force of which this node's cache hears nothing."""
        elsewhere = MemoryStandingCache(Memory(), token_key=self._token_key)
        return await self._put(elsewhere, lines)

    async def see_newest(self) -> None:
        """Let the node see the newest version, while somebody else is putting it in force."""
        async with hold(self._engine, Lock.LIST_WRITER):
            assert not await self.publisher.look()

    async def ask(self, *numbers: str, service: Service = FLIGHT) -> Decided:
        self.statements = 0
        return await self.checks.decide([check(number, service) for number in numbers])

    async def _put(self, cache: MemoryStandingCache, lines: Sequence[dict[str, Any]]) -> int:
        feed = SnapshotFeed(
            engine=self._engine,
            cache=cache,
            sealer=self._sealer,
            token_key=self._token_key,
            clock=self.clock,
        )
        report = await feed.replace(_chunks(lines), allow_empty=True)
        assert report.accepted == len(lines), report.rejected
        return report.version

    def _count(self, *_details: object) -> None:
        self.statements += 1


@asynccontextmanager
async def open_grounds(
    database_url: str, *, memory: Memory | None = None, asked_url: str | None = None
) -> AsyncIterator[Grounds]:
    """Open a node; `asked_url` is where its checks look for the registry."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(database_url, timeout_s=None))
        asked = await stack.enter_async_context(open_engine(asked_url or database_url))
        yield Grounds(memory or Memory(), engine, asked)


def check(number: str, service: Service = FLIGHT) -> PreparedCheck:
    return PreparedCheck(
        document=Document(type=DocumentType.RESIDENT_ID, number=number),
        name=None,
        service=service,
        jurisdiction=NATION,
        reference=None,
    )


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


async def _chunks(lines: Sequence[dict[str, Any]]) -> AsyncIterator[bytes]:
    for line in lines:
        yield json.dumps(line).encode() + b"\n"


def told(decided: Decided) -> list[str]:
    return [decision.outcome.value for decision in decided.decisions]


def reasons(decided: Decided) -> list[str]:
    built = msgspec.to_builtins(decided.decisions)
    return [reason["listing"]["id"] for decision in built for reason in decision["reasons"]]
