"""Checks the rows of a sheet as batches of the API, and returns the end of each row.

`open_batch` reads the checks as it reads those of `POST /v1/checks/batch`, so a row is judged as
the API judges its check. Up to 10 000 checks are decided together, on one version of the list.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date
from typing import Final, TypeAlias

import msgspec

from checker.accounts.keys import Caller
from checker.checks.batch_request import BATCH_ITEMS_MAX, ReadBatch, open_batch
from checker.checks.checks import Decided, Deciding
from checker.checks.prepared_batch import PreparedBatch
from checker.checks.turns import Pace, give_way
from checker.domain.decision import Decision
from checker.errors import CheckerError, InvalidRequest, InvalidSubject, OutOfScope
from checker.registry.sealing import Sealer
from checker.sheets.endings import RowEnding, SheetLanguage, ending_of_row
from checker.sheets.row_fault import NotCheckable, RowFault
from checker.sheets.rows import RowQuestion

ItemEnd: TypeAlias = Decision | CheckerError
"""The decision on a check, or the error of a check that cannot be read."""

CountDecided: TypeAlias = Callable[[PreparedBatch, Decided], Awaitable[None]]
"""Counts the decisions of one part of a sheet."""

_encode = msgspec.json.Encoder().encode


class SheetChecks:
    """Checks rows for one caller. `account_id` and `count` are None on the command line."""

    def __init__(
        self,
        *,
        checks: Deciding,
        sealer: Sealer,
        caller: Caller,
        account_id: str | None,
        today: date,
        language: SheetLanguage = SheetLanguage.ZH,
        pace: Pace = give_way,
        count: CountDecided | None = None,
    ) -> None:
        self._checks = checks
        self._sealer = sealer
        self._caller = caller
        self._account_id = account_id
        self._today = today
        self._language = language
        self._pace = pace
        self._count = count

    async def end_rows(
        self, questions: Sequence[RowQuestion], progress: Callable[[int], None]
    ) -> dict[int, RowEnding]:
        """Return the end of each row, by row. `progress` receives the number of ended rows.

        Raises:
            Unavailable: nothing can vouch for the list, so nothing is allowed.
        """
        endings: dict[int, RowEnding] = {}
        for part in _parts(questions):
            ends = iter(await self._ends([check for each in part for check in each.checks]))
            for question in part:
                mine = [next(ends) for _ in question.checks]
                decisions = [end for end in mine if isinstance(end, Decision)]
                errors = [fault_of_check(end) for end in mine if isinstance(end, CheckerError)]
                fault = question.fault or next(iter(errors), None)
                endings[question.row] = ending_of_row(decisions, fault, self._language)
            progress(len(endings))
        return endings

    async def _ends(self, checks: Sequence[object]) -> list[ItemEnd]:
        """Return the end of each check, in order."""
        body = _encode({"checks": checks})
        opened = await open_batch(body, self._caller, self._today, self._sealer, pace=self._pace)
        batch: ReadBatch = await opened.read_all(self._pace)
        decisions: Sequence[Decision] = ()
        if len(batch.checks):
            decided = await self._checks.decide(
                batch.checks, account_id=self._account_id, pace=self._pace
            )
            decisions = decided.decisions
            if self._count is not None:
                await self._count(batch.checks, decided)
        ends = iter(decisions)
        return [batch.errors.get(at) or next(ends) for at in range(len(checks))]


def fault_of_check(error: CheckerError) -> NotCheckable:
    """Return the fault of a row by the error of its check. No error repeats a value."""
    if isinstance(error, OutOfScope):
        return NotCheckable(fault=RowFault.OUT_OF_SCOPE)
    if isinstance(error, InvalidSubject):
        return NotCheckable(fault=RowFault.INVALID_NUMBER, detail=str(error))
    pointer, detail = "", str(error)
    if isinstance(error, InvalidRequest) and error.faults:
        pointer, detail = error.faults[0].pointer, error.faults[0].detail
    for begin, fault in _FAULTS:
        if pointer.startswith(begin):
            return NotCheckable(fault=fault, detail=f"{pointer} {detail}")
    return NotCheckable(fault=RowFault.INVALID_SERVICE, detail=f"{pointer} {detail}")


_FAULTS: Final = (
    ("/subject/document", RowFault.INVALID_NUMBER),
    ("/subject/name", RowFault.INVALID_NAME),
    ("/service", RowFault.INVALID_SERVICE),
)
"""The fault of a row by the field of its check. A sheet gives no other field than a place."""


def _parts(questions: Sequence[RowQuestion]) -> Iterator[list[RowQuestion]]:
    """Yield the rows in parts of at most 10 000 checks; a row is never cut."""
    part: list[RowQuestion] = []
    checks = 0
    for question in questions:
        assert len(question.checks) <= BATCH_ITEMS_MAX, "a row has few documents and services"
        if checks + len(question.checks) > BATCH_ITEMS_MAX:
            yield part
            part, checks = [], 0
        part.append(question)
        checks += len(question.checks)
    if part:
        yield part
