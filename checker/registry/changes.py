"""The feed of changes: reads operations line by line, has them written, and waits until they hold.

Lines are written in slices, in their order, each slice in one commit (`change_writer`); a strict
feed is one slice, so that it is all of it or nothing. What came of a line is known when its slice
is committed; the feed is answered when no node can answer from before the last one.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence, Set
from datetime import date
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from checker.domain.clock import Clock, shanghai_day
from checker.errors import TooLarge
from checker.registry.change_writer import Batch, ChangeWriter, Rider, Written
from checker.registry.entry import FeedFormat, LineRejected
from checker.registry.lines import cut_lines, require_text
from checker.registry.listing_format import parse_listing
from checker.registry.operation_format import Reading, parse_operation
from checker.registry.operations import List, Operation
from checker.registry.publication import ListVersion
from checker.registry.quarantine_rows import OPERATIONS, FeedLine
from checker.registry.report import REPORTED_MAX, FeedReport, RejectedLine
from checker.registry.sealing import Sealer
from checker.registry.zxgk import parse_zxgk

SLICE_LINES = 200
"""Lines in one commit; others who change the list have their turn in between."""

SLICE_BYTES = 4 << 20

STRICT_LINES_MAX = 10_000
"""All of a strict feed is held in memory, and holds the list's lock while it is applied."""

STRICT_BYTES_MAX = 64 << 20

LINES_AT_ONCE = 20
"""Lines read before others of the event loop have their turn: some two milliseconds."""


class ChangesFeed:
    """Takes operations into the registry and puts them in force.

    `measures` are the ids that a retention may name; `in_force` waits until no node can answer from
    before a version.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        clock: Clock,
        measures: Set[str],
        in_force: Callable[[ListVersion], Awaitable[None]],
    ) -> None:
        self._writer = ChangeWriter(engine, sealer, clock)
        self._sealer = sealer
        self._clock = clock
        self._measures = measures
        self._in_force = in_force

    async def apply(
        self,
        chunks: AsyncIterable[bytes],
        *,
        strict: bool = False,
        line_format: str = OPERATIONS,
        progress: Callable[[int], None] = lambda _lines: None,
    ) -> FeedReport:
        """Apply the lines of a feed (bytes of NDJSON, cut anywhere) in their order.

        With the format of a listing each line puts one in force. When it returns, what was accepted
        is durable and in force. `progress` is told the lines read so far.

        Raises:
            TooLarge: a strict feed of more lines or bytes than are held at once; nothing changed.
            Unavailable: the registry cannot be reached. What came before may stand; to send it
                again does no harm.
        """
        report = Report()
        async for slice_ in self._slices(chunks, strict, line_format, progress):
            report.add(await self._writer.write(Batch(lines=tuple(slice_), strict=strict)))
        if not report.writes:
            report.add(await self._writer.write(Batch(lines=())))
        if report.newest is not None:
            await self._in_force(report.newest)
        return report.told()

    async def apply_again(self, slices: AsyncIterable[Sequence[FeedLine]]) -> FeedReport:
        """Apply lines that were read already, of quarantine; waits and raises as `apply`."""
        report = Report()
        async for slice_ in slices:
            report.add(await self._writer.write(Batch(lines=tuple(slice_))))
        if report.newest is not None:
            await self._in_force(report.newest)
        return report.told()

    async def apply_with(self, operations: Sequence[Operation], rider: Rider) -> int:
        """Apply operations none of which can be rejected, and what `rider` writes with them, as
        one; when it returns, they are durable and in force. Gives the version.

        Raises:
            Unavailable: the registry cannot be reached; whether anything was done is not known.
                Besides, whatever `rider` raises.
        """
        feed = str(uuid4())
        lines = tuple(
            FeedLine(feed=feed, number=number, raw=b"", read=operation)
            for number, operation in enumerate(operations, 1)
        )
        written = await self._writer.write(Batch(lines=lines, rider=rider))
        if written.newest is not None:
            await self._in_force(written.newest)
        return written.version

    def read(self, line: bytes | None, line_format: str, sent_on: date) -> Operation | LineRejected:
        """Read one line of a format, sent on a day in Shanghai; what is wrong with it is given."""
        today = shanghai_day(self._clock.now())
        try:
            text = require_text(line)
            match line_format:
                case FeedFormat.LISTING:
                    return List(entry=parse_listing(text, today))
                case FeedFormat.ZXGK:
                    entry = parse_zxgk(text, today, self._sealer.listing_id)
                    spare_id = self._sealer.listing_id(self._sealer.digest(entry).hex())
                    return List(entry=entry, spare_id=spare_id)
                case _:
                    reading = Reading(today=today, sent_on=sent_on, measures=self._measures)
                    return parse_operation(text, reading)
        except LineRejected as error:
            return error

    async def aclose(self) -> None:
        """Stop writing; whoever waits is cancelled."""
        await self._writer.aclose()

    async def _slices(
        self,
        chunks: AsyncIterable[bytes],
        strict: bool,
        line_format: str,
        progress: Callable[[int], None],
    ) -> AsyncIterator[list[FeedLine]]:
        feed = str(uuid4())
        sent_on = shanghai_day(self._clock.now())
        held: list[FeedLine] = []
        held_bytes = number = 0
        async for number, line in cut_lines(chunks):
            read = self.read(line, line_format, sent_on)
            raw = line or b""
            held.append(
                FeedLine(feed=feed, number=number, raw=raw, read=read, line_format=line_format)
            )
            held_bytes += len(raw)
            if strict:
                if len(held) > STRICT_LINES_MAX or held_bytes > STRICT_BYTES_MAX:
                    text = f"a strict feed has at most {STRICT_LINES_MAX} lines, and 64 MiB"
                    raise TooLarge(text)
            elif len(held) >= SLICE_LINES or held_bytes >= SLICE_BYTES:
                yield held
                held, held_bytes = [], 0
            if number % LINES_AT_ONCE == 0:
                progress(number)
                await asyncio.sleep(0)
        progress(number)
        if held:
            yield held


class Report:
    """What became of a feed so far."""

    def __init__(self) -> None:
        self.version = 0
        self.newest: ListVersion | None = None
        self.writes = 0
        self._accepted = 0
        self._rejected: list[RejectedLine] = []
        self._rejected_count = 0

    def add(self, written: Written) -> None:
        """Take in what was written of the next lines."""
        self.writes += 1
        self.version = written.version
        self.newest = written.newest
        self._accepted += written.accepted
        self._rejected_count += len(written.rejected)
        for verdict in written.rejected[: REPORTED_MAX - len(self._rejected)]:
            error = verdict.rejected
            assert error is not None, "it is among the rejected"
            told = RejectedLine(line=verdict.line.number, code=error.code, detail=error.detail)
            self._rejected.append(told)

    def told(self) -> FeedReport:
        """Give the report."""
        return FeedReport(
            version=self.version,
            accepted=self._accepted,
            rejected=tuple(self._rejected),
            rejected_count=self._rejected_count,
        )
