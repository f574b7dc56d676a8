"""The things that are wrong, the worst first, each with the page on which to act.

An operator at night reads this list before any figure. `deny` is wrong now and harms somebody,
`review` waits for somebody.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from checker.web.console.figures import OverviewFigures
from checker.web.console.room import CONSOLE
from checker.web.console.shared_figure import FigureState
from checker.web.home import ListAge

LAG_MS_MAX: Final = 5_000
"""A node that lacks a change for longer has lost its way to Redis and PostgreSQL."""


class AlertKind(StrEnum):
    """The things that may be wrong, the worst first."""

    NO_LIST = "no_list"
    STORES_AWAY = "stores_away"
    LOST_CHANGES = "lost_changes"
    NO_LEASE = "no_lease"
    LAGGING = "lagging"
    STALE = "stale"
    OVERDUE_REMOVALS = "overdue_removals"
    OVERDUE_CORRECTIONS = "overdue_corrections"
    DEAD_NOTICES = "dead_notices"
    FLAGGED = "flagged"
    QUARANTINE = "quarantine"


HARMFUL: Final = frozenset(
    {
        AlertKind.NO_LIST,
        AlertKind.STORES_AWAY,
        AlertKind.LOST_CHANGES,
        AlertKind.NO_LEASE,
        AlertKind.LAGGING,
        AlertKind.OVERDUE_REMOVALS,
        AlertKind.OVERDUE_CORRECTIONS,
    }
)


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `count` is 0 where nothing is counted."""

    kind: AlertKind
    count: int
    href: str

    @property
    def severity(self) -> str:
        """`deny` or `review`: the class of its colour and symbol."""
        return "deny" if self.kind in HARMFUL else "review"


def alerts_of(figures: OverviewFigures, age: ListAge | None) -> tuple[Alert, ...]:
    """Return everything that is wrong, the worst first."""
    found = {each.kind: each for each in _found(figures, age)}
    return tuple(found[kind] for kind in AlertKind if kind in found)


def _found(figures: OverviewFigures, age: ListAge | None) -> Iterator[Alert]:
    if age is None:
        yield _alert(AlertKind.NO_LIST, 0, "rebuild")
    elif age.is_stale:
        yield _alert(AlertKind.STALE, 0, "feeds")
    blocks = (figures.nodes, figures.waiting, figures.changes, figures.summary, figures.month)
    if any(each.state is FigureState.AWAY for each in blocks):
        yield _alert(AlertKind.STORES_AWAY, 0, "")
    nodes, waiting, summary = figures.nodes.value, figures.waiting.value, figures.summary.value
    if nodes is not None:
        behind = sum(each.lag_ms > LAG_MS_MAX for each in nodes.nodes.nodes)
        yield from _counted(AlertKind.LAGGING, behind, "rebuild")
        yield from _counted(AlertKind.LOST_CHANGES, nodes.nodes.lost_changes, "feeds")
        if not nodes.holds_lease and age is not None:
            yield _alert(AlertKind.NO_LEASE, 0, "rebuild")
    if summary is not None:
        yield from _counted(AlertKind.OVERDUE_REMOVALS, summary.overdue_removals, "removals")
    if waiting is not None:
        overdue = waiting.corrections.overdue
        yield from _counted(AlertKind.OVERDUE_CORRECTIONS, overdue, "corrections?status=overdue")
        yield from _counted(AlertKind.DEAD_NOTICES, waiting.notices.dead, "notices")
        yield from _counted(AlertKind.FLAGGED, waiting.flagged, "accounts?flagged=true")
        yield from _counted(AlertKind.QUARANTINE, waiting.quarantine, "quarantine")


def _counted(kind: AlertKind, count: int, page: str) -> Iterator[Alert]:
    if count:
        yield _alert(kind, count, page)


def _alert(kind: AlertKind, count: int, page: str) -> Alert:
    return Alert(kind=kind, count=count, href=f"{CONSOLE}/{page}" if page else CONSOLE)
