"""The overview: the worst alert first, and a page that stands while stores are away."""

from datetime import UTC, date, datetime

import pytest

from checker.audit.daily_report import DailyReport, DayCounts, MeasureDay
from checker.audit.monthly_report import MonthlyReport
from checker.corrections.corrections import OpenCounts
from checker.notices.webhooks import Waiting
from checker.publication.nodes import Node, Nodes
from checker.registry.summary import ListSummary
from checker.web.console.alerts import AlertKind, alerts_of
from checker.web.console.charts import HEIGHT, month_chart
from checker.web.console.figures import MonthFigures, NodeFigures, OverviewFigures, WaitingWork
from checker.web.console.shared_figure import Figure, FigureState
from checker.web.home import ListAge
from checker.web.language import Language, PageWords
from checker.web.rendering import rendered

AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
TODAY = date(2026, 11, 23)
AGE = ListAge(version=3, minute="2026-11-23 09:02", is_stale=False)
DAYS = (
    DayCounts(day=date(2026, 11, 2), denied=3, reviewed=1, capped=0),
    DayCounts(day=date(2026, 11, 23), denied=1, reviewed=0, capped=1),
)
MEASURES = (
    MeasureDay(day=date(2026, 11, 2), measure="a", denied=3, reviewed=1, capped=0),
    MeasureDay(day=date(2026, 11, 23), measure="b", denied=9, reviewed=0, capped=1),
    MeasureDay(day=date(2026, 11, 23), measure="a", denied=1, reviewed=0, capped=1),
)


def known(value):
    return Figure(state=FigureState.KNOWN, value=value, at=AT)


def away():
    return Figure(state=FigureState.AWAY, value=None, at=None)


def figures(**changed):
    nodes = Nodes(newest=3, lost_changes=0, nodes=(Node(id="a", version=3, lag_ms=0),))
    summary = ListSummary(
        version=None,
        persons=1,
        organizations=0,
        listings=1,
        overdue_removals=0,
        unresolved_officers=0,
        masked=0,
        lost_changes=(),
    )
    waiting = WaitingWork(
        corrections=OpenCounts(waiting=0, overdue=0),
        quarantine=0,
        flagged=0,
        flags=(),
        notices=Waiting(pending=0, dead=0),
    )
    month = MonthFigures(
        report=MonthlyReport(month=TODAY, institutions=(), authorities=()),
        daily=DailyReport(days=DAYS, measures=MEASURES),
        denied=4,
        reviewed=1,
        capped=1,
        outcomes_missing=0,
    )
    blocks = {
        "nodes": known(NodeFigures(nodes=nodes, holds_lease=True, fill_percent=1.5)),
        "summary": known(summary),
        "waiting": known(waiting),
        "changes": known(()),
        "month": known(month),
    }
    return OverviewFigures(**blocks | changed)


def page(shown, age=AGE, language=Language.ZH):
    month = shown.month.value
    return rendered(
        "console/figures.html",
        PageWords(language),
        figures=shown,
        alerts=alerts_of(shown, age),
        chart=None if month is None else month_chart(month.daily.days, TODAY),
        titles={},
        now=AT,
    )


def test_without_a_fault_nothing_is_alarming():
    assert alerts_of(figures(), AGE) == ()
    assert 'data-alert="none"' in page(figures())


def test_the_worst_alert_comes_first():
    nodes = Nodes(newest=3, lost_changes=1, nodes=(Node(id="a", version=1, lag_ms=6_000),))
    waiting = WaitingWork(
        corrections=OpenCounts(waiting=2, overdue=1),
        quarantine=4,
        flagged=1,
        flags=(),
        notices=Waiting(pending=3, dead=2),
    )
    shown = figures(
        nodes=known(NodeFigures(nodes=nodes, holds_lease=False, fill_percent=1.5)),
        waiting=known(waiting),
        month=away(),
    )
    stale = ListAge(version=3, minute=AGE.minute, is_stale=True)
    kinds = [each.kind for each in alerts_of(shown, stale)]
    assert kinds == [
        AlertKind.STORES_AWAY,
        AlertKind.LOST_CHANGES,
        AlertKind.NO_LEASE,
        AlertKind.LAGGING,
        AlertKind.STALE,
        AlertKind.OVERDUE_CORRECTIONS,
        AlertKind.DEAD_NOTICES,
        AlertKind.FLAGGED,
        AlertKind.QUARANTINE,
    ]
    assert next(iter(alerts_of(shown, None))).kind is AlertKind.NO_LIST


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("block", OverviewFigures.__struct_fields__)
def test_each_block_says_that_its_store_is_away_and_the_others_stand(block, language):
    text = page(figures(**{block: away()}), language=language)
    assert 'data-block="away"' in text
    assert text.count("data-metric=") >= 4


def test_all_blocks_may_be_away_at_once():
    nothing = dict.fromkeys(OverviewFigures.__struct_fields__, away())
    text = page(figures(**nothing), age=None)
    assert "data-metric=" not in text
    assert 'data-alert="no_list"' in text


def test_the_bars_of_a_month_stand_on_one_scale():
    chart = month_chart(DAYS, TODAY)
    assert len(chart.bars) == TODAY.day
    assert chart.most == 4
    highest = chart.bars[1]
    assert [part.name for part in highest.parts] == ["deny", "review"]
    assert all(0 <= part.y <= HEIGHT for bar in chart.bars for part in bar.parts)
    last = chart.bars[-1]
    assert sum(part.height for part in last.parts) == pytest.approx(
        sum(part.height for part in highest.parts) / 2, abs=0.2
    )
    assert month_chart((), TODAY).most == 0


def test_measures_are_ranked_by_their_use():
    assert figures().month.value.by_measure == (("b", 9, 0), ("a", 4, 1))
