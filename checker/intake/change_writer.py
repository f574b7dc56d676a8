"""Puts batches of operations on the record: batches that wait together share one commit.

One change is numbered for all of them, and each caller gets the result of its own lines."""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from enum import Enum

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import Clock, shanghai_day
from checker.domain.court import Courts
from checker.errors import CheckerError
from checker.group_commit import GroupCommit, group_commit
from checker.intake.batch_written import BatchWritten
from checker.intake.feed_requests import AnsweredBefore
from checker.intake.known_operations import with_known_ids
from checker.intake.quarantine_rows import (
    REQUEST_LINES_MAX,
    FeedLine,
    LineVerdict,
    keep_verdicts,
    settled,
)
from checker.registry.endings import write_listing_endings
from checker.registry.entry import LineRejected
from checker.registry.journaling import ChangeRow, journal_change
from checker.registry.ledger import Ledger
from checker.registry.ledger_difference import difference
from checker.registry.ledger_rows import write
from checker.registry.ledger_store import load
from checker.registry.operations import List
from checker.registry.permit_endings import write_binding_endings, write_permit_endings
from checker.registry.sealing import Sealer
from checker.registry.versions import ChangeKind, newest_version, put_change

GROUP_LINES_MAX = 500
"""Lines in one commit of several batches: some hundred milliseconds at most behind the lock."""

WAITING_MAX = 1_000
"""Batches that may wait in one process; more are refused for now."""


Admit = Callable[[AsyncConnection], Awaitable[None]]
"""Raises a CheckerError or AnsweredBefore, behind the lock, if a batch must not be begun."""

Rider = Callable[[AsyncConnection, BatchWritten], Awaitable[None]]
"""Writes more in a batch's transaction. If it raises, nothing of the batch is done."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Lines that are applied in order; strict: all of them, or none.

    `key` names the sender's request. A batch that `is_alone` shares its version with no
    other batch. A batch that `goes_first` frees people alone, and overtakes the batches of other
    feeds. At most `quarantine_max` rejected lines are kept, as those of `account_id`. The sender
    speaks for `courts`; None: for all courts.
    """

    lines: tuple[FeedLine, ...]
    strict: bool = False
    admit: Admit | None = None
    rider: Rider | None = None
    key: bytes | None = None
    is_alone: bool = False
    goes_first: bool = False
    account_id: str | None = None
    courts: Courts | None = None
    quarantine_max: int = REQUEST_LINES_MAX


class _Later(Enum):
    """The same request is in the same group already: its turn is after that."""

    LATER = "later"


_Result = BatchWritten | CheckerError | AnsweredBefore | _Later


class _Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with its verdicts; it was `dropped` if it is strict and a line was rejected."""

    batch: Batch
    verdicts: tuple[LineVerdict, ...]

    @property
    def rejected(self) -> tuple[LineVerdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.rejected is not None)

    @property
    def dropped(self) -> bool:
        return self.batch.strict and bool(self.rejected)

    @property
    def dropped_fields(self) -> tuple[str, ...]:
        if self.dropped:
            return ()
        stand = [verdict.line.read for verdict in self.verdicts if verdict.rejected is None]
        lists = [operation for operation in stand if isinstance(operation, List)]
        return tuple(field for operation in lists for field in operation.dropped_fields)

    @property
    def accepted(self) -> int:
        return 0 if self.dropped else len(self.verdicts) - len(self.rejected)


class ChangeWriter:
    """Writes the batches of one process."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer, clock: Clock) -> None:
        self._engine = engine
        self._sealer = sealer
        self._clock = clock
        self._group: GroupCommit[Batch, _Result] = group_commit(
            self._commit,
            weight=lambda batch: GROUP_LINES_MAX if batch.is_alone else len(batch.lines),
            weight_max=GROUP_LINES_MAX,
            waiting_max=WAITING_MAX,
        )

    async def write(self, batch: Batch) -> BatchWritten:
        """Put a batch on the record; when this returns it is durable.

        A caller that is cancelled takes its batch back if nothing has been done of it yet.

        Raises:
            Unavailable: the registry cannot be reached, or too many wait; say it again later.
                Besides, every error of the batch's `admit` and of its rider.
        """
        result: _Result = _Later.LATER
        while isinstance(result, _Later):
            result = await self._group.add(batch, goes_first=batch.goes_first)
        if isinstance(result, BatchWritten):
            return result
        raise result

    async def aclose(self) -> None:
        """Stop; a batch that is not committed never is, and its caller gets Unavailable."""
        await self._group.aclose()

    async def _commit(self, batches: Sequence[Batch]) -> list[_Result]:
        with driver_errors():
            async with self._engine.connect() as connection:
                await hold_to_commit(connection, Lock.LIST_WRITER)
                results = await _admit(connection, batches)
                places = [place for place, result in enumerate(results) if result is None]
                if places:
                    begun = [batches[place] for place in places]
                    written = await self._put_on_record(connection, begun)
                    await connection.commit()
                    for place, one in zip(places, written, strict=True):
                        results[place] = one
        return [result for result in results if result is not None]

    async def _put_on_record(
        self, connection: AsyncConnection, batches: Sequence[Batch]
    ) -> list[BatchWritten]:
        """Apply the batches and write what they change, as one version if it is anything."""
        now = self._clock.now()
        today = shanghai_day(now)
        settle = functools.partial(with_known_ids, connection, self._sealer)
        batches = [msgspec.structs.replace(one, lines=await settle(one.lines)) for one in batches]
        lines = [line for batch in batches for line in batch.lines]
        operations = [line.read for line in lines if not isinstance(line.read, LineRejected)]
        loaded = await load(connection, self._sealer, operations, today)
        over = await settled(connection, lines)
        ledger, judged = _judge(loaded.ledger, batches, today, over)
        changes = difference(loaded.ledger, ledger, loaded.open_ids)
        counted = [one for one in judged if not one.dropped]
        newest, version = None, None
        accepted = sum(one.accepted for one in counted)
        rejected = sum(len(one.rejected) for one in counted)
        if changes or any(one.rejected or _resolves(one, over) for one in counted):
            newest = await put_change(
                connection,
                kind=ChangeKind.CHANGES,
                at=now,
                accepted=accepted,
                rejected=rejected,
            )
            version = newest.version
            named = await write(connection, self._sealer, loaded, (ledger, changes), version)
            if changes.permits:
                await write_permit_endings(connection, newest)
            if changes.bound:
                await write_binding_endings(connection, newest)
            if changes.ended_ids or changes.directives:
                await write_listing_endings(connection, newest)
            row = ChangeRow.of(newest, accepted, rejected)
            await journal_change(connection, self._sealer.vault, row, named)
        quarantined = [await self._keep(connection, one, version) for one in judged]
        if newest is None:
            newest = await newest_version(connection)
        results = []
        for one, kept in zip(judged, quarantined, strict=True):
            written = BatchWritten(
                newest=newest,
                accepted=one.accepted,
                rejected=one.rejected,
                quarantined=kept,
                dropped_fields=one.dropped_fields,
            )
            if one.batch.rider is not None:
                await one.batch.rider(connection, written)
            results.append(written)
        return results

    async def _keep(self, connection: AsyncConnection, one: _Judged, version: int | None) -> int:
        """Keep the rejected lines of a batch; returns their number."""
        return await keep_verdicts(
            connection,
            self._sealer,
            one.rejected if one.dropped else one.verdicts,
            None if one.dropped else version,
            account_id=one.batch.account_id,
            lines_max=one.batch.quarantine_max,
        )


async def _admit(connection: AsyncConnection, batches: Sequence[Batch]) -> list[_Result | None]:
    """Return for each batch the reason why it does not begin now; None: the batch begins."""
    results: list[_Result | None] = []
    keys: set[bytes] = set()
    for batch in batches:
        result: _Result | None = None
        if batch.key in keys:
            result = _Later.LATER
        elif batch.admit is not None:
            try:
                await batch.admit(connection)
            except (CheckerError, AnsweredBefore) as refusal:
                result = refusal
        if result is None and batch.key is not None:
            keys.add(batch.key)
        results.append(result)
    return results


def _judge(
    before: Ledger,
    batches: Sequence[Batch],
    today: date,
    over: Mapping[int, LineRejected | None],
) -> tuple[Ledger, list[_Judged]]:
    """Apply batches one after the other; return the ledger after them, and the judged batches.

    `over` has the lines of quarantine whose time is over (`quarantine_rows.settled`).
    """
    ledger = before.copy()
    judged = []
    for batch in batches:
        tried = ledger.copy() if batch.strict else ledger
        verdicts = tuple(
            _verdict(tried, line, today, batch.courts)
            if line.quarantined is None or line.quarantined not in over
            else LineVerdict(line=line, rejected=over[line.quarantined])
            for line in batch.lines
        )
        one = _Judged(batch=batch, verdicts=verdicts)
        if not one.dropped:
            ledger = tried
        judged.append(one)
    return ledger, judged


def _verdict(ledger: Ledger, line: FeedLine, today: date, courts: Courts | None) -> LineVerdict:
    if isinstance(line.read, LineRejected):
        return LineVerdict(line=line, rejected=line.read)
    try:
        ledger.apply(line.read, today, courts)
    except LineRejected as error:
        return LineVerdict(line=line, rejected=error)
    return LineVerdict(line=line, rejected=None)


def _resolves(judged: _Judged, over: Mapping[int, LineRejected | None]) -> bool:
    """Whether a line of quarantine was accepted now: it keeps the version that put it in force."""
    return any(
        verdict.rejected is None
        and verdict.line.quarantined is not None
        and verdict.line.quarantined not in over
        for verdict in judged.verdicts
    )
