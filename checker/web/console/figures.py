"""The figures of the overview, each from the function that the API or the metrics ask too."""

import asyncio
from datetime import date
from typing import Final

import msgspec

from checker.accounts.accounts import Account
from checker.api.nodes import nodes_of
from checker.audit.daily_report import DailyReport, daily_report
from checker.audit.monthly_report import InstitutionReport, MonthlyReport, monthly_report
from checker.corrections.corrections import OpenCounts
from checker.domain.clock import shanghai_day
from checker.node.runtime import Runtime
from checker.notices.webhooks import Waiting
from checker.publication.nodes import Nodes
from checker.registry.change_history import ChangeBrought, read_changes
from checker.registry.summary import ListSummary, summarize
from checker.web.console.shared_figure import Figure, SharedFigure

CHANGES_SHOWN: Final = 8
FLAGS_SHOWN: Final = 20
INSTITUTIONS_SHOWN: Final = 20
"""Rows of a block: the whole is on its own page."""


class NodeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes, and the state of the node of this process."""

    nodes: Nodes
    holds_lease: bool
    fill_percent: float

    @property
    def lag_ms_max(self) -> int:
        """The lag of the node furthest behind."""
        return max((each.lag_ms for each in self.nodes.nodes), default=0)


class WaitingWork(msgspec.Struct, frozen=True, kw_only=True):
    """The things that wait for somebody."""

    corrections: OpenCounts
    quarantine: int
    flagged: int
    flags: tuple[Account, ...]
    notices: Waiting


class MonthFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions of the present month: as `GET /v1/reports` has them, and by day."""

    report: MonthlyReport
    daily: DailyReport
    denied: int
    reviewed: int
    capped: int
    outcomes_missing: int

    @property
    def worst_reporters(self) -> tuple[InstitutionReport, ...]:
        """The institutions that owe most outcomes, the worst first."""
        ranked = sorted(self.report.institutions, key=lambda each: -each.outcomes_missing)
        return tuple(ranked[:INSTITUTIONS_SHOWN])

    @property
    def by_measure(self) -> tuple[tuple[str, int, int], ...]:
        """Each measure with its refusals and reviews, the most used first."""
        counted: dict[str, tuple[int, int]] = {}
        for each in self.daily.measures:
            denied, reviewed = counted.get(each.measure, (0, 0))
            counted[each.measure] = (denied + each.denied, reviewed + each.reviewed)
        ranked = sorted(counted.items(), key=lambda it: (-sum(it[1]), it[0]))
        return tuple((measure, *counts) for measure, counts in ranked)


class OverviewFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All blocks of the overview."""

    nodes: Figure[NodeFigures]
    summary: Figure[ListSummary]
    waiting: Figure[WaitingWork]
    changes: Figure[tuple[ChangeBrought, ...]]
    month: Figure[MonthFigures]


class ConsoleFigures:
    """The figures of one process."""

    def __init__(self, runtime: Runtime) -> None:
        clock = runtime.clock
        self._runtime = runtime
        self._nodes = SharedFigure(self._read_nodes, clock)
        self._summary = SharedFigure(self._read_summary, clock)
        self._waiting = SharedFigure(self._read_waiting, clock)
        self._changes = SharedFigure(self._read_changes, clock)
        self._month = SharedFigure(self._read_month, clock)

    async def overview(self) -> OverviewFigures:
        """Return all blocks. A block whose store is away says so, and the others stand."""
        # At most two connections of the engine of the checks. The counts of all rows use another.
        nodes, waiting, changes, summary, month = await asyncio.gather(
            self._nodes.get(),
            self._waiting.get(),
            self._changes.get(),
            self._summary.get(),
            self._month.get(),
        )
        return OverviewFigures(
            nodes=nodes, waiting=waiting, changes=changes, summary=summary, month=month
        )

    async def month(self) -> Figure[MonthFigures]:
        """Return the figures of the present month."""
        return await self._month.get()

    async def _read_nodes(self) -> NodeFigures:
        replica = self._runtime.replica
        fill = await asyncio.to_thread(replica.filter_fill)
        return NodeFigures(
            nodes=await nodes_of(self._runtime),
            holds_lease=replica.holds_lease,
            fill_percent=round(100 * (fill or 0.0), 1),
        )

    @property
    def _today(self) -> date:
        return shanghai_day(self._runtime.clock.now())

    async def _read_summary(self) -> ListSummary:
        runtime = self._runtime
        return await summarize(runtime.work_engine, self._today, runtime.policies.deadlines)

    async def _read_waiting(self) -> WaitingWork:
        runtime = self._runtime
        return WaitingWork(
            corrections=await runtime.corrections.count(),
            quarantine=await runtime.quarantine.count_open(),
            flagged=await runtime.accounts.count_flagged(),
            flags=await runtime.accounts.page(after=0, limit=FLAGS_SHOWN, flagged=True),
            notices=await runtime.notices.webhooks.count_waiting(),
        )

    async def _read_changes(self) -> tuple[ChangeBrought, ...]:
        return await read_changes(self._runtime.work_engine, before=None, limit=CHANGES_SHOWN)

    async def _read_month(self) -> MonthFigures:
        runtime, first_day = self._runtime, self._today.replace(day=1)
        await runtime.audit.tallies.add()
        report = await monthly_report(runtime.work_engine, first_day, runtime.policies.measures)
        rows = report.institutions
        return MonthFigures(
            report=report,
            daily=await daily_report(runtime.work_engine, first_day),
            denied=sum(each.denied for each in rows),
            reviewed=sum(each.reviewed for each in rows),
            capped=sum(each.capped for each in rows),
            outcomes_missing=sum(each.outcomes_missing for each in rows),
        )
