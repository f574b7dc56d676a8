"""Puts batches of operations on the record: those that wait together share one commit.

They are applied in their order to one ledger, and one change is numbered for all; each caller still
learns what became of its own lines.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.group_commit import GroupCommit
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import Clock, shanghai_day
from checker.registry.entry import LineRejected
from checker.registry.ledger import Ledger
from checker.registry.ledger_difference import difference
from checker.registry.ledger_rows import write
from checker.registry.ledger_store import load
from checker.registry.publication import ChangeKind, ListVersion, newest_version, put_change
from checker.registry.quarantine_rows import FeedLine, Verdict, keep_verdicts, settled
from checker.registry.sealing import Sealer

GROUP_LINES_MAX = 500
"""Lines in one commit of several batches: some hundred milliseconds at most behind the lock."""

WAITING_MAX = 1_000
"""Batches that may wait in one process; more are told to come back."""


Rider = Callable[[AsyncConnection, int], Awaitable[None]]
"""Writes what belongs to a batch, in its transaction; told the version that the batch led to."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that are applied in order; strict: all of them, or none.

    With a `rider` no line may be one that is rejected; if it raises, nothing of the batch is done.
    """

    lines: tuple[FeedLine, ...]
    strict: bool = False
    rider: Rider | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a batch: the newest version then, and the lines that were rejected.

    `newest` None: there is no list yet.
    """

    newest: ListVersion | None
    accepted: int
    rejected: tuple[Verdict, ...]

    @property
    def version(self) -> int:
        """The number of the newest version, 0 without a list."""
        return 0 if self.newest is None else self.newest.version


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


class ChangeWriter:
    """Writes the batches of one process."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer, clock: Clock) -> None:
        self._engine = engine
        self._sealer = sealer
        self._clock = clock
        self._group: GroupCommit[Batch, Written] = GroupCommit(
            self._commit,
            weight=lambda batch: len(batch.lines),
            weight_max=GROUP_LINES_MAX,
            waiting_max=WAITING_MAX,
        )

    async def write(self, batch: Batch) -> Written:
        """Put a batch on the record; when this returns it is durable.

        A caller that is cancelled takes its batch back if nothing has been done of it yet.

        Raises:
            Unavailable: the registry cannot be reached, or too many wait; say it again later.
                Besides, whatever the batch's rider raises.
        """
        return await self._group.add(batch)

    async def aclose(self) -> None:
        """Stop; what is not committed never is, and whoever waits is cancelled."""
        await self._group.aclose()

    async def _commit(self, batches: Sequence[Batch]) -> list[Written]:
        with driver_errors():
            async with self._engine.connect() as connection:
                await hold_to_commit(connection, Lock.LIST_WRITER)
                judged, newest = await self._put_on_record(connection, batches)
                await connection.commit()
        return [
            Written(newest=newest, accepted=one.accepted, rejected=one.rejected) for one in judged
        ]

    async def _put_on_record(
        self, connection: AsyncConnection, batches: Sequence[Batch]
    ) -> tuple[list[_Judged], ListVersion | None]:
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
        newest, version = None, None
        if changes or any(one.rejected or _resolves(one, over) for one in counted):
            newest = await put_change(
                connection,
                kind=ChangeKind.CHANGES,
                at=now,
                accepted=sum(one.accepted for one in counted),
                rejected=sum(len(one.rejected) for one in counted),
            )
            version = newest.version
            await write(connection, self._sealer, loaded, (ledger, changes), version)
        for one in judged:
            if one.dropped:
                await keep_verdicts(connection, self._sealer, one.rejected, None)
            else:
                await keep_verdicts(connection, self._sealer, one.verdicts, version)
        if newest is None:
            newest = await newest_version(connection)
        for one in judged:
            if one.batch.rider is not None:
                assert not one.rejected, "what has a rider is known to stand"
                await one.batch.rider(connection, 0 if newest is None else newest.version)
        return judged, newest


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
