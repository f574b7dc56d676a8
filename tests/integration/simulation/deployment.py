"""Two nodes on a real PostgreSQL and a real Redis, in one process, with a clock that a test sets.

What runs beside them, publishers and replicas, runs while something is asked or sent.
"""

import asyncio
import base64
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime

import msgspec
import redis.asyncio

from checker.checks.request import PreparedCheck
from checker.config import Config, ListSettings
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import parse_jurisdiction
from checker.domain.service import SERVICES, ServiceType
from checker.runtime import keep_current, open_runtime

STARTS_AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
ENVIRON = {
    "CHECKER_TOKEN_KEY": base64.b64encode(bytes(range(32))).decode(),
    "CHECKER_ENCRYPTION_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
}
NODES = 2


class SetClock:
    """Stands until it is set."""

    def __init__(self):
        self.instant = STARTS_AT

    def now(self):
        return self.instant


class Deployment:
    """The nodes, and what may become of them."""

    def __init__(self, folder, database_url, redis_url):
        self._config = Config(
            data_dir=folder,
            database_url=database_url,
            redis_url=redis_url,
            config_file=None,
            jurisdictions={},
            list=ListSettings(),
        )
        self._redis = redis.asyncio.Redis.from_url(redis_url)
        self._closing = [AsyncExitStack() for _ in range(NODES)]
        self.clock = SetClock()
        self.nodes = [None] * NODES
        self.publishers = [None] * NODES

    async def open(self):
        await self._redis.flushall()
        for number in range(NODES):
            await self.open_node(number)
            self.start_publisher(number)

    async def close(self):
        for number in range(NODES):
            await self.kill_publisher(number)
            await self._closing[number].aclose()
        await self._redis.aclose()

    async def open_node(self, number):
        opened = open_runtime(self._config, ENVIRON, clock=self.clock)
        node = await self._closing[number].enter_async_context(opened)
        await self._closing[number].enter_async_context(keep_current(node, publish=False))
        self.nodes[number] = node

    async def restart_node(self, number):
        await self.kill_publisher(number)
        await self._closing[number].aclose()
        self._closing[number] = AsyncExitStack()
        await self.open_node(number)
        self.start_publisher(number)

    def start_publisher(self, number):
        if self.publishers[number] is None:
            self.publishers[number] = asyncio.create_task(self.nodes[number].publisher.run())

    async def kill_publisher(self, number):
        """Stop it wherever it is."""
        task, self.publishers[number] = self.publishers[number], None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def send(self, number, lines, *, strict=False, kill_after=None):
        """Send operations to a node; a publisher may be killed so many turns of the loop later."""
        body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        sending = asyncio.create_task(self.nodes[number].changes.apply(_once(body), strict=strict))
        if kill_after is not None:
            for _ in range(kill_after):
                await asyncio.sleep(0)
            for each in range(NODES):
                await self.kill_publisher(each)
                self.start_publisher(each)
        return await sending

    async def replace(self, number, listings):
        body = b"".join(msgspec.json.encode(listing) + b"\n" for listing in listings)
        feed = self.nodes[number].feed
        report = await feed.replace(_once(body), allow_empty=True, allow_shrink=True)
        assert report.rejected_count == 0, report.rejected

    async def rebuild(self, number):
        assert await self.nodes[number].publisher.rebuild_now() is not None

    async def lose(self, share):
        """Let Redis lose a part of its keys, or with a share of 1 all of them."""
        keys = sorted(await self._redis.keys("checker:*"))
        lost = keys[:: max(1, round(1 / share))]
        if lost:
            await self._redis.delete(*lost)

    async def ask(self, number, checks):
        decided = await self.nodes[number].checks.decide(checks, account_id=None)
        return [_told(decision) for decision in decided.decisions]


def check_of(document, name, service, place):
    kind, number = document
    return PreparedCheck(
        document=Document(type=DocumentType(kind), number=number),
        name=name,
        service=msgspec.convert(service, SERVICES[ServiceType(service["type"])]),
        jurisdiction=parse_jurisdiction(place),
        reference=None,
    )


def _told(decision):
    reasons = frozenset(
        (
            str(reason.code),
            reason.measure,
            str(reason.role),
            None if reason.listing is None else reason.listing.id,
        )
        for reason in decision.reasons
    )
    return str(decision.outcome), reasons, None if decision.permit is None else decision.permit.id


async def _once(body):
    yield body
