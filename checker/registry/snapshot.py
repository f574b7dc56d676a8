"""The snapshot feed: replaces the whole list in one step, or changes nothing.

One transaction stages the lines, writes the difference and the numbered change, and builds the next
generation of the cache from it, all beside what is in force. Only then is it committed and the
cache's pointer switched. Whatever fails before leaves the list as it was; who dies between the
commit and the switch has acknowledged nothing, and the next publisher finishes it
(`checker.registry.publication`).
"""

import asyncio
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from datetime import date
from uuid import uuid4

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.errors import CacheIncomplete, CacheUnavailable
from cache.generation import Generation
from cache.store import StandingCache
from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold
from checker.domain.clock import Clock, shanghai_day
from checker.errors import Fault, InvalidRequest
from checker.registry.entry import FeedFormat, LineRejected, ListingEntry, RejectCode
from checker.registry.lines import cut_lines
from checker.registry.listing_format import parse_listing
from checker.registry.publication import (
    ChangeKind,
    ListVersion,
    build_generation,
    cache_errors,
    newest_version,
    put_change,
    withdraw_unknown,
)
from checker.registry.schema import quarantine
from checker.registry.sealing import QUARANTINE_RAW, Sealer
from checker.registry.staging import Stage, copy_rows
from checker.registry.zxgk import parse_zxgk

REPORTED_MAX = 10_000
"""Rejected lines told in the answer; all of them are in quarantine."""

LINES_AT_ONCE = 20
"""Lines read before others have their turn: some two milliseconds."""

_QUARANTINE_SLICE = 1_000
_QUARANTINE_COLUMNS = ("feed", "format", "line", "code", "detail", "raw")


class RejectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was not accepted; lines are counted from 1."""

    line: int
    code: RejectCode
    detail: str


class FeedReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a feed. `rejected_count` counts also those past the first 10 000."""

    version: int
    accepted: int
    rejected: tuple[RejectedLine, ...]
    rejected_count: int


class SnapshotFeed:
    """Takes snapshots into the registry and puts them in force."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        cache: StandingCache,
        sealer: Sealer,
        token_key: str,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._sealer = sealer
        self._token_key = token_key
        self._clock = clock

    async def replace(
        self,
        chunks: AsyncIterable[bytes],
        *,
        feed_format: FeedFormat = FeedFormat.LISTING,
        allow_empty: bool = False,
        kind: ChangeKind = ChangeKind.SNAPSHOT,
        progress: Callable[[int], None] = lambda _lines: None,
    ) -> FeedReport:
        """Replace the list by the lines of a feed (bytes of NDJSON, cut anywhere).

        When it returns, the list is durable and in force. `progress` is told the lines read so far.

        Raises:
            InvalidRequest: no line could be accepted, and `allow_empty` does not say it is meant.
            Unavailable: the registry or the cache cannot be reached; say it again later.
        """
        with driver_errors(), cache_errors():
            async with self._engine.connect() as connection:
                intake = _Intake(connection, self._sealer, feed_format, progress)
                await intake.read(chunks, shanghai_day(self._clock.now()))
                if intake.stage.accepted == 0 and not allow_empty:
                    await connection.commit()  # the quarantine, and nothing else
                    raise _empty(intake.rejected)
                # Not before: a sender that is slow or stuck must not keep others from the list.
                async with hold(self._engine, Lock.LIST_WRITER):
                    change, generation = await self._put_in_force(connection, intake, kind)
                    await connection.commit()
                    await self._cache.switch(generation)
            # The list is in force: what cannot be swept now goes with the next one.
            with suppress(CacheUnavailable, CacheIncomplete):
                await self._cache.sweep()
        return self._report(change, intake)

    async def _put_in_force(
        self, connection: AsyncConnection, intake: "_Intake", kind: ChangeKind
    ) -> tuple[ListVersion, Generation]:
        """Write the change and build its generation; `Lock.LIST_WRITER` is held."""
        await withdraw_unknown(self._cache, await newest_version(connection))
        change = await put_change(
            connection,
            kind=kind,
            at=self._clock.now(),
            accepted=intake.stage.accepted,
            rejected=intake.rejected_count,
        )
        await intake.put_in_force(change.version)
        return change, await build_generation(connection, self._cache, change, self._token_key)

    def _report(self, change: ListVersion, intake: "_Intake") -> FeedReport:
        return FeedReport(
            version=change.version,
            accepted=intake.stage.accepted,
            rejected=tuple(intake.rejected),
            rejected_count=intake.rejected_count,
        )


class _Intake:
    """Reads lines into the stage, and into quarantine those that cannot stand."""

    def __init__(
        self,
        connection: AsyncConnection,
        sealer: Sealer,
        feed_format: FeedFormat,
        progress: Callable[[int], None],
    ) -> None:
        self.stage = Stage(connection)
        self.rejected: list[RejectedLine] = []
        self.rejected_count = 0
        self._connection = connection
        self._sealer = sealer
        self._format = feed_format
        self._progress = progress
        self._feed = str(uuid4())
        # 32 bytes a listing, so that ten million ids are told apart without holding them.
        self._seen: dict[bytes, bytes] = {}
        self._quarantine: list[tuple[str, str, int, str, str, bytes]] = []

    async def read(self, chunks: AsyncIterable[bytes], today: date) -> None:
        await self.stage.open()
        number = 0
        async for number, line in cut_lines(chunks):
            try:
                entry = self._parse(line, today)
            except LineRejected as error:
                await self._reject(number, line, error)
            else:
                await self.stage.add(self._sealer.seal(number, entry))
            if number % LINES_AT_ONCE == 0:
                self._progress(number)
                await asyncio.sleep(0)  # the same loop answers checks meanwhile
        await self._flush_quarantine()
        self._progress(number)

    async def put_in_force(self, version: int) -> None:
        await self.stage.put_in_force(version)
        await self._connection.execute(
            update(quarantine).where(quarantine.c.feed == self._feed).values(version=version)
        )

    def _parse(self, line: bytes | None, today: date) -> ListingEntry:
        if line is None:
            raise LineRejected(RejectCode.LINE_TOO_LONG, "the line is over 1 MiB")
        try:
            line.decode()
        except UnicodeDecodeError:
            raise LineRejected(RejectCode.INVALID_ENCODING, "the line is not UTF-8") from None
        match self._format:
            case FeedFormat.LISTING:
                entry = parse_listing(line, today)
            case FeedFormat.ZXGK:
                entry = parse_zxgk(line, today, self._sealer.listing_id)
        return self._told_apart(entry)

    def _told_apart(self, entry: ListingEntry) -> ListingEntry:
        """Refuse an id that came before; where ids are ours, only a record that came before."""
        digest = self._sealer.digest(entry)
        earlier = self._seen.get(self._sealer.id_token(entry.id))
        if earlier is not None and earlier != digest and self._format is FeedFormat.ZXGK:
            # The platform says more of the same case: other officers, say, whom nobody may miss.
            other_id = self._sealer.listing_id(digest.hex())
            entry = msgspec.structs.replace(entry, id=other_id)
            earlier = self._seen.get(self._sealer.id_token(other_id))
        if earlier is not None:
            raise LineRejected(RejectCode.DUPLICATE_ID, "an earlier line has the same id")
        self._seen[self._sealer.id_token(entry.id)] = digest
        return entry

    async def _reject(self, number: int, line: bytes | None, error: LineRejected) -> None:
        self.rejected_count += 1
        if len(self.rejected) < REPORTED_MAX:
            told = RejectedLine(line=number, code=error.code, detail=error.detail)
            self.rejected.append(told)
        raw = (line or b"").decode(errors="backslashreplace")
        sealed = self._sealer.vault.seal(raw, QUARANTINE_RAW)
        row = (self._feed, self._format, number, error.code, error.detail, sealed)
        self._quarantine.append(row)
        if len(self._quarantine) >= _QUARANTINE_SLICE:
            await self._flush_quarantine()

    async def _flush_quarantine(self) -> None:
        await copy_rows(self._connection, "quarantine", self._quarantine, _QUARANTINE_COLUMNS)
        self._quarantine.clear()


def _empty(rejected: list[RejectedLine]) -> InvalidRequest:
    """An empty snapshot would free everybody by accident."""
    faults = [Fault(f"/{line.line}", f"{line.code}: {line.detail}") for line in rejected[:100]]
    return InvalidRequest("no line could be accepted; allow_empty=true says it is meant", faults)
