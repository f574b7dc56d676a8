"""Judges the lines of one file, batch by batch, and keeps the adverse results.

Each batch is committed with its results and the progress of the file. Then the batch is forgotten.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.accounts.keys import Caller
from checker.accounts.quotas import Quotas
from checker.database.engine import driver_errors
from checker.domain.clock import Clock
from checker.domain.service import type_of
from checker.errors import BodyStalled, CheckerError, InvalidRequest, QuotaExceeded, Unavailable
from checker.reconciliation import rows
from checker.reconciliation.history import History, Judged
from checker.reconciliation.job import Interruption, Reconciliation
from checker.reconciliation.past_sale import (
    Line,
    PreparedSale,
    Rejected,
    RejectedCode,
    SalesReader,
)
from checker.registry.sealing import Sealer

REFERENCE: Final = "reconciliation_result.reference"

LINES_AT_ONCE: Final = 20
"""Lines that are read before the event loop runs other tasks: some two milliseconds."""

REJECTED_KEPT_MAX: Final = 1_000
"""Rejected lines that are kept. The others are counted, as in a file that holds no sales."""

_NO_LIST = Rejected(code=RejectedCode.NO_LIST, detail="no list had been taken in by then")
_LIST_GONE = Rejected(code=RejectedCode.NO_LIST, detail="the list of that time is kept no longer")

_log = logging.getLogger(__name__)


class Working:
    """Works through files. Sales are judged that were made within `kept_for`."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        history: History,
        clock: Clock,
        quotas: Quotas,
        kept_for: timedelta,
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._history = history
        self._clock = clock
        self._quotas = quotas
        self._kept_for = kept_for

    async def work(
        self,
        opened: Reconciliation,
        caller: Caller,
        reader: SalesReader,
        batches: AsyncIterator[Sequence[Line]],
    ) -> Reconciliation:
        """Judge all lines, and return the reconciliation. The results are durable then.

        Raises, and keeps the earlier batches:
            InvalidRequest: the transfer was cut off.
            QuotaExceeded: the caller has no items left for the next lines.
            Unavailable: the registry cannot be reached.
        """
        reason: Interruption | None = Interruption.STOPPED
        progress = opened
        try:
            async for batch in batches:
                progress = await self._judge_batch(progress, caller, reader, batch)
            reason = None
            return await self._end(opened.number, None)
        except CheckerError as error:
            reason = _interruption(error)
            raise
        finally:
            if reason is not None:
                await self._interrupt(opened.number, reason)

    async def _judge_batch(
        self,
        progress: Reconciliation,
        caller: Caller,
        reader: SalesReader,
        batch: Sequence[Line],
    ) -> Reconciliation:
        read = await _read(reader, batch)
        await self._quotas.take(caller, len(batch))
        now = self._clock.now()
        read = {line: self._if_kept(each, now) for line, each in read.items()}
        sales = [each for each in read.values() if isinstance(each, PreparedSale)]
        with driver_errors():
            async with self._engine.begin() as connection:
                judged = await self._history.judge(connection, sales, caller.account_id)
                rejected = {
                    line: each for line, each in read.items() if isinstance(each, Rejected)
                } | {each.sale.line: _NO_LIST for each in judged if each.list_version is None}
                adverse = [each for each in judged if each.is_adverse]
                after = msgspec.structs.replace(
                    progress,
                    lines=batch[-1][0],
                    adverse=progress.adverse + len(adverse),
                    rejected=progress.rejected + len(rejected),
                )
                room = max(0, REJECTED_KEPT_MAX - progress.rejected)
                kept = [self._row(progress.number, each) for each in adverse]
                kept += [
                    _error_row(progress.number, line, rejected[line])
                    for line in sorted(rejected)[:room]
                ]
                counts = {name: getattr(after, name) for name in ("lines", "adverse", "rejected")}
                counts["touched_at"] = now
                await rows.write_results(connection, progress.number, counts, kept)
        return after

    def _if_kept(self, read: PreparedSale | Rejected, now: datetime) -> PreparedSale | Rejected:
        """Return a line as it was read, or its rejection if the list of its time may be gone."""
        if isinstance(read, PreparedSale) and read.sold_at < now - self._kept_for:
            return _LIST_GONE
        return read

    def _row(self, number: int, judged: Judged) -> dict[str, Any]:
        check, decision = judged.sale.check, judged.decision
        seal = self._sealer.vault.seal
        reference = None
        if check.reference is not None:
            place = (str(number), str(judged.sale.line))
            reference = seal(check.reference, REFERENCE, *place)
        return {
            "reconciliation_pk": number,
            "line": judged.sale.line,
            "reference": reference,
            "sold_at": judged.sale.sold_at,
            "service": type_of(check.service),
            "jurisdiction": check.jurisdiction,
            "decision": decision.outcome,
            "reasons": msgspec.to_builtins(decision.reasons),
            "list_version": judged.list_version,
            "error": None,
        }

    async def _end(self, number: int, reason: Interruption | None) -> Reconciliation:
        with driver_errors():
            async with self._engine.begin() as connection:
                return await rows.end(connection, number, self._clock.now(), reason)

    async def _interrupt(self, number: int, reason: Interruption) -> None:
        """Write the interruption down, if possible. If not, the silence of the row shows it."""
        try:
            await self._end(number, reason)
        except Unavailable:
            _log.warning("a reconciliation was interrupted, and its row could not be written")


async def _read(reader: SalesReader, batch: Sequence[Line]) -> dict[int, PreparedSale | Rejected]:
    """Return the lines of a batch as they were read, by their numbers."""
    read = {}
    for count, (number, line) in enumerate(batch, 1):
        read[number] = reader.read(number, line)
        if count % LINES_AT_ONCE == 0:
            await asyncio.sleep(0)
    return read


def _error_row(number: int, line: int, rejected: Rejected) -> dict[str, Any]:
    return {
        "reconciliation_pk": number,
        "line": line,
        **dict.fromkeys(("reference", "sold_at", "service", "jurisdiction", "decision")),
        **dict.fromkeys(("reasons", "list_version")),
        "error": msgspec.to_builtins(rejected),
    }


def _interruption(error: CheckerError) -> Interruption:
    """Return the reason why a file was not judged to its end."""
    match error:
        case QuotaExceeded():
            return Interruption.QUOTA_EXCEEDED
        case Unavailable():
            return Interruption.UNAVAILABLE
        case InvalidRequest() | BodyStalled():
            return Interruption.CUT_OFF
        case _:
            return Interruption.STOPPED
