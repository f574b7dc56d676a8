"""Puts batches of operations on the record: those that wait together share one commit.

A commit costs a write to disk and a turn at the lock, whatever is in it. So one task of the process
takes all batches that came while it was busy, applies them in their order to one ledger, and
numbers one change for all; each caller still learns what became of its own lines. Nobody waits for
company: a batch that comes alone goes alone.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import Clock, shanghai_day
from checker.errors import Unavailable
from checker.registry.entry import LineRejected
from checker.registry.ledger import Ledger
from checker.registry.ledger_difference import difference
from checker.registry.ledger_rows import write
from checker.registry.ledger_store import load
from checker.registry.publication import ChangeKind, newest_version, put_change
from checker.registry.quarantine_rows import FeedLine, Verdict, keep_verdicts, settled
from checker.registry.sealing import Sealer

GROUP_LINES_MAX = 500
"""Lines in one commit of several batches: some hundred milliseconds at most behind the lock."""

WAITING_MAX = 1_000
"""Batches that may wait in one process; more are told to come back."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that are applied in order; strict: all of them, or none."""

    lines: tuple[FeedLine, ...]
    strict: bool = False


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: the newest version then, and the lines that were rejected."""

    version: int
    accepted: int
    rejected: tuple[Verdict, ...]


class _Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with its verdicts; it was `dropped` if it is strict and a line was rejected."""

    batch: Batch
    verdicts: tuple[Verdict, ...]

    @property
    def rejected(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.rejected is not None)

    @property
    def dropped(self) -> bool:
        return self.batch.strict and bool(self.rejected)

    @property
    def accepted(self) -> int:
        return 0 if self.dropped else len(self.verdicts) - len(self.rejected)


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    batch: Batch
    done: asyncio.Future[Written]


class ChangeWriter:
    """Writes the batches of one process."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer, clock: Clock) -> None:
        self._engine = engine
        self._sealer = sealer
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, batch: Batch) -> Written:
        """Put a batch on the record; when this returns it is durable.

        A caller that is cancelled takes its batch back if nothing has been done of it yet.

        Raises:
            Unavailable: the registry cannot be reached, or too many wait; say it again later.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise Unavailable("too many changes wait; send it again")
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await waiting.done

    async def aclose(self) -> None:
        """Stop; what is not committed never is, and whoever waits is cancelled."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])

    async def _write_all(self) -> None:
        group: list[_Waiting] = []
        try:
            while group := self._take():
                await self._write_group(group)
        finally:
            self._writing = None
            for waiting in (*group, *self._waiting):
                waiting.done.cancel()
            self._waiting.clear()

    def _take(self) -> list[_Waiting]:
        """Take the next batches, at least one, and together not too many lines."""
        group: list[_Waiting] = []
        lines = 0
        while self._waiting:
            waiting = self._waiting[0]
            if group and lines + len(waiting.batch.lines) > GROUP_LINES_MAX:
                break
            self._waiting.popleft()
            if not waiting.done.done():
                group.append(waiting)
                lines += len(waiting.batch.lines)
        return group

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        try:
            written = await self._commit([waiting.batch for waiting in group])
        except Unavailable as error:
            for waiting in group:
                _fail(waiting, error)
        except Exception as error:
            # A fault that one batch alone calls forth must not be everybody's.
            if len(group) == 1:
                _fail(group[0], error)
                return
            for waiting in group:
                await self._write_group([waiting])
        else:
            for waiting, one in zip(group, written, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(one)

    async def _commit(self, batches: Sequence[Batch]) -> list[Written]:
        with driver_errors():
            async with self._engine.connect() as connection:
                await hold_to_commit(connection, Lock.LIST_WRITER)
                judged, version = await self._put_on_record(connection, batches)
                await connection.commit()
        return [
            Written(version=version, accepted=one.accepted, rejected=one.rejected) for one in judged
        ]

    async def _put_on_record(
        self, connection: AsyncConnection, batches: Sequence[Batch]
    ) -> tuple[list[_Judged], int]:
        """Apply the batches and write what they change, as one version if it is anything."""
        now = self._clock.now()
        today = shanghai_day(now)
        lines = [line for batch in batches for line in batch.lines]
        operations = [line.read for line in lines if not isinstance(line.read, LineRejected)]
        loaded = await load(connection, self._sealer, operations, today)
        over = await settled(connection, lines)
        ledger, judged = _judge(loaded.ledger, batches, today, over)
        changes = difference(loaded.ledger, ledger, loaded.open_ids)
        counted = [one for one in judged if not one.dropped]
        version = None
        if changes or any(one.rejected or _resolves(one, over) for one in counted):
            change = await put_change(
                connection,
                kind=ChangeKind.CHANGES,
                at=now,
                accepted=sum(one.accepted for one in counted),
                rejected=sum(len(one.rejected) for one in counted),
            )
            version = change.version
            await write(connection, self._sealer, loaded, (ledger, changes), version)
        for one in judged:
            if one.dropped:
                await keep_verdicts(connection, self._sealer, one.rejected, None)
            else:
                await keep_verdicts(connection, self._sealer, one.verdicts, version)
        if version is None:
            newest = await newest_version(connection)
            version = 0 if newest is None else newest.version
        return judged, version


def _judge(
    before: Ledger,
    batches: Sequence[Batch],
    today: date,
    over: Mapping[int, LineRejected | None],
) -> tuple[Ledger, list[_Judged]]:
    """Apply batches one after the other; give the ledger that they lead to.

    `over` are the lines of quarantine whose time is over, as `quarantine_rows.settled` tells them.
    """
    ledger = before.copy()
    judged = []
    for batch in batches:
        tried = ledger.copy() if batch.strict else ledger
        verdicts = tuple(
            _verdict(tried, line, today)
            if line.quarantined is None or line.quarantined not in over
            else Verdict(line=line, rejected=over[line.quarantined])
            for line in batch.lines
        )
        one = _Judged(batch=batch, verdicts=verdicts)
        if not one.dropped:
            ledger = tried
        judged.append(one)
    return ledger, judged


def _verdict(ledger: Ledger, line: FeedLine, today: date) -> Verdict:
    if isinstance(line.read, LineRejected):
        return Verdict(line=line, rejected=line.read)
    try:
        ledger.apply(line.read, today)
    except LineRejected as error:
        return Verdict(line=line, rejected=error)
    return Verdict(line=line, rejected=None)


def _resolves(judged: _Judged, over: Mapping[int, LineRejected | None]) -> bool:
    """Whether a line of quarantine was accepted now: it keeps the version that put it in force."""
    return any(
        verdict.rejected is None
        and verdict.line.quarantined is not None
        and verdict.line.quarantined not in over
        for verdict in judged.verdicts
    )


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
