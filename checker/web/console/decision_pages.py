"""Decisions: refusals by measure and day, the rows of a figure, one explained, and the log."""

from datetime import date
from typing import Final
from uuid import UUID

from checker.api.exchange import Reply
from checker.audit.daily_report import MeasureDay
from checker.audit.decision_pages import WantedDecisions, read_decisions
from checker.domain.clock import shanghai_day
from checker.domain.decision import Outcome
from checker.web.console.charts import month_chart
from checker.web.console.figures import ConsoleFigures
from checker.web.console.room import (
    CONSOLE,
    ROWS,
    asked,
    asked_number,
    console_page,
    part_of,
    rows_page,
    show,
)
from checker.web.visit import Visit

REFUSALS: Final = f"{CONSOLE}/refusals"
DECISIONS: Final = f"{CONSOLE}/decisions"
ACTIONS: Final = f"{CONSOLE}/actions"


@console_page(REFUSALS)
async def show_refusals(visit: Visit) -> Reply:
    """Show the adverse decisions of this month by measure and by day."""
    shared: ConsoleFigures = visit.request.app.state.figures
    month = await shared.month()
    today = shanghai_day(visit.runtime.clock.now())
    by_cell: dict[tuple[str, date], MeasureDay] = {}
    if month.value is not None:
        by_cell = {(each.measure, each.day): each for each in month.value.daily.measures}
    titles = {each.id: each for each in visit.runtime.policies.measures}
    return show(
        visit,
        "refusals",
        room="refusals",
        month=month,
        chart=None if month.value is None else month_chart(month.value.daily.days, today),
        cells=by_cell,
        days=sorted({day for _, day in by_cell}, reverse=True),
        titles=titles,
    )


@console_page(DECISIONS)
async def show_decisions(visit: Visit) -> Reply:
    """Show kept decisions, newest first; with an id, lead to the explanation."""
    wanted_id = _known_id(asked(visit, "id"))
    if wanted_id is not None:
        return visit.redirect(f"{DECISIONS}/{wanted_id}")
    outcome = asked(visit, "outcome")
    wanted = WantedDecisions(
        account_id=asked(visit, "account"),
        measure=asked(visit, "measure"),
        day=_day(asked(visit, "day")),
        outcome=Outcome(outcome) if outcome in set(Outcome) else None,
        is_unreported=asked(visit, "unreported") == "true",
    )
    found = await read_decisions(
        visit.runtime.engine, wanted, before=_known_id(asked(visit, "before")), limit=ROWS + 1
    )
    rows, last = rows_page(found)
    kept = {
        name: text
        for name in ("account", "measure", "day", "outcome", "unreported")
        if (text := asked(visit, name)) is not None
    }
    return show(
        visit,
        "decisions",
        room="decisions",
        rows=rows,
        kept=kept,
        is_unknown=asked(visit, "id") is not None,
        following=None if last is None else last.id,
    )


@console_page(f"{DECISIONS}/{{decision_id:str}}")
async def show_explanation(visit: Visit) -> Reply:
    """Show the explanation of a decision, in the words of `GET /v1/decisions/{id}`."""
    explanations = visit.runtime.audit.explanations
    found = await explanations.explain(part_of(visit, "decision_id"), account_id=None)
    return show(visit, "explanation", room="decisions", found=found)


@console_page(ACTIONS)
async def show_actions(visit: Visit) -> Reply:
    """Show the log of operators' actions, newest first."""
    target = asked(visit, "target")
    log = visit.runtime.operator_log
    found = await log.page(before=asked_number(visit, "before"), limit=ROWS + 1, target=target)
    rows, last = rows_page(found)
    following = None if last is None else last.number
    return show(visit, "actions", room="actions", rows=rows, target=target, following=following)


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        return None


def _known_id(text: str | None) -> str | None:
    """Return the id of a decision; None: the text is no such id."""
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        return None
