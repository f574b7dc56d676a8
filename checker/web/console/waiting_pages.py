"""The rows that wait for somebody: removals, corrections, the quarantine, notices."""

from datetime import date
from typing import Final

from checker.api.exchange import Reply
from checker.api.quarantine import retried
from checker.corrections.correction import CorrectionState
from checker.corrections.views import CorrectionSummary, summary_fields
from checker.domain.clock import shanghai_day
from checker.errors import InvalidRequest
from checker.intake.quarantine import EVERYBODYS
from checker.operators.action import OperatorAction
from checker.registry.removals import read_removals
from checker.web.console.room import (
    CONSOLE,
    ROWS,
    asked,
    asked_number,
    author_of,
    console_page,
    managed,
    may_manage,
    part_of,
    rows_page,
    show,
)
from checker.web.visit import Visit

REMOVALS: Final = f"{CONSOLE}/removals"
CORRECTIONS: Final = f"{CONSOLE}/corrections"
QUARANTINE: Final = f"{CONSOLE}/quarantine"
NOTICES: Final = f"{CONSOLE}/notices"


@console_page(REMOVALS)
async def show_removals(visit: Visit) -> Reply:
    """Show the listings that wait for their removal, the most overdue first."""
    runtime, today = visit.runtime, shanghai_day(visit.runtime.clock.now())
    found = await read_removals(
        runtime.engine,
        today,
        runtime.policies.deadlines,
        after=_day_and_number(asked(visit, "after")),
        limit=ROWS + 1,
    )
    rows, last = rows_page(found)
    following = None if last is None else f"{last.fulfilled_on}.{last.number}"
    return show(visit, "removals", room="removals", rows=rows, today=today, following=following)


def _day_and_number(text: str | None) -> tuple[date, int] | None:
    if text is None:
        return None
    day, _, number = text.partition(".")
    try:
        return date.fromisoformat(day), int(number)
    except ValueError:
        raise InvalidRequest("no such page") from None


@console_page(CORRECTIONS)
async def show_corrections(visit: Visit) -> Reply:
    """Show corrections, oldest first; without a status the open ones."""
    text = asked(visit, "status") or CorrectionState.OPEN.value
    status = CorrectionState(text) if text in set(CorrectionState) else CorrectionState.OPEN
    corrections = visit.runtime.corrections
    after = asked_number(visit, "after") or 0
    rows, last = rows_page(await corrections.page(status, after, ROWS + 1))
    return show(
        visit,
        "corrections",
        room="corrections",
        rows=[CorrectionSummary(**summary_fields(each, corrections.today)) for each in rows],
        state=status,
        states=tuple(CorrectionState),
        following=None if last is None else last.number,
    )


@console_page(f"{CORRECTIONS}/{{correction_id:str}}")
async def show_correction_page(visit: Visit) -> Reply:
    """Show one correction; its texts are for operators, as the API has it."""
    corrections = visit.runtime.corrections
    found = await corrections.find(part_of(visit, "correction_id"))
    texts = await corrections.words(found) if may_manage(visit) else None
    row = CorrectionSummary(**summary_fields(found, corrections.today))
    return show(visit, "correction", room="corrections", row=row, texts=texts)


@console_page(QUARANTINE)
async def show_quarantine(visit: Visit) -> Reply:
    """Show the open lines, oldest first, without their texts."""
    return await _quarantine(visit, None)


@managed(f"{QUARANTINE}/retry", OperatorAction.RETRY_QUARANTINE)
async def retry_lines(visit: Visit) -> Reply:
    """Try one line, or all open lines, again, as `POST /v1/feed/quarantine/retry` does."""
    text = (await visit.form()).get("line", "")
    if text and not text.isdecimal():
        raise InvalidRequest("a line is named by its number")
    ids = [int(text)] if text else None
    report = await retried(visit.runtime, ids, EVERYBODYS, author_of(visit))
    return await _quarantine(visit, report)


async def _quarantine(visit: Visit, report: object) -> Reply:
    quarantine, after = visit.runtime.quarantine, asked_number(visit, "after") or 0
    rows, last = rows_page(await quarantine.open_lines(after, ROWS + 1))
    return show(
        visit,
        "quarantine",
        room="quarantine",
        rows=rows,
        open=await quarantine.count_open(),
        following=None if last is None else last.id,
        report=report,
    )


@console_page(NOTICES)
async def show_notices(visit: Visit) -> Reply:
    """Show the endpoints of all accounts, and the notices that they have not acknowledged."""
    return await _notices(visit, None)


@managed(f"{NOTICES}/retry", OperatorAction.RETRY_NOTICES)
async def retry_notices(visit: Visit) -> Reply:
    """Send the notices of an account again, at once."""
    account_id = (await visit.form()).get("account_id", "")
    webhooks = visit.runtime.notices.webhooks
    return await _notices(visit, await webhooks.retry(account_id, by=author_of(visit)))


async def _notices(visit: Visit, sent: int | None) -> Reply:
    rows = await visit.runtime.notices.webhooks.show_all()
    ranked = sorted(rows, key=lambda each: (-each.dead, -each.pending, each.account))
    return show(visit, "notices", room="notices", rows=ranked, sent=sent)
