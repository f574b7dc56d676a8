"""A row of the table: its figures by rounds, its value, and its goal."""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from statistics import median

import msgspec

from loadtest.closed_load import LoadRound
from loadtest.population import Population
from loadtest.service import ServiceRun

WARM_UP_SECONDS = 1.0


class RowUnit(StrEnum):
    """The unit of a row's value."""

    TIMES = "×"
    MILLISECONDS = "ms"
    PERSONS = "persons/s"


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """The median of the rounds, the lowest round and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the spread of at least one figure."""
        return cls(median=median(figures), low=min(figures), high=max(figures))


class RowSide(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one server in a row: answers a second, and latencies by medians."""

    name: str
    per_second: Spread
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, name: str, rounds: Sequence[LoadRound]) -> "RowSide":
        """Return the figures of at least one round."""
        return cls(
            name=name,
            per_second=Spread.of([one.per_second for one in rounds]),
            p50_ms=median(one.p50_ms for one in rounds),
            p99_ms=median(one.p99_ms for one in rounds),
        )


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row: its value, and the goal of the value.

    `at_least` or `at_most` is the goal; neither: the row has no goal. `lacks` names the missing
    program of a row that was not measured; such a row has no value.
    """

    title: str
    unit: RowUnit = RowUnit.TIMES
    value: Spread | None = None
    ours: RowSide | None = None
    theirs: RowSide | None = None
    at_least: float | None = None
    at_most: float | None = None
    lacks: str | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the median meets the goal; None without a goal or a value."""
        if self.value is None or (self.at_least is None and self.at_most is None):
            return None
        is_high_enough = self.at_least is None or self.value.median >= self.at_least
        return is_high_enough and (self.at_most is None or self.value.median <= self.at_most)


class RowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a run: rounds and their seconds, connections, and the list.

    `before` is the `checker` of an older installation, measured beside ours.
    """

    seed: int
    listings: int
    rounds: int
    round_seconds: float
    connections: int
    before: Path | None
    today: date


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """The ground of a row: a service that is verified already, its list, and an empty folder."""

    plan: RowPlan
    run: ServiceRun
    population: Population
    folder: Path


NamedRounds = tuple[str, list[LoadRound]]
"""The name of a server in the table, and its rounds."""

Send = Callable[[float], LoadRound]
"""Sends one round of some seconds to one server."""


def in_rounds(plan: RowPlan, sends: Sequence[Send]) -> list[list[LoadRound]]:
    """Return the rounds of each server. The servers take turns, so noise hits all alike."""
    for send in sends:
        send(WARM_UP_SECONDS)
    rounds: list[list[LoadRound]] = [[] for _ in sends]
    for _ in range(plan.rounds):
        for send, reports in zip(sends, rounds, strict=True):
            reports.append(send(plan.round_seconds))
    return rounds


def ratios(ours: Sequence[LoadRound], theirs: Sequence[LoadRound]) -> Spread:
    """Return the ratio of the medians, and the lowest and highest ratio of two rounds in turn."""
    each = [mine.per_second / other.per_second for mine, other in zip(ours, theirs, strict=True)]
    mine = median(one.per_second for one in ours)
    other = median(one.per_second for one in theirs)
    return Spread(median=mine / other, low=min(each), high=max(each))


def spaced(value: float) -> str:
    """Return a whole number whose thousands are apart by a space."""
    return f"{value:,.0f}".replace(",", " ")


def against(
    title: str, ours: NamedRounds, theirs: NamedRounds, *, at_least: float | None = None
) -> Row:
    """Return a row of our requests a second for one of theirs."""
    return Row(
        title=title,
        value=ratios(ours[1], theirs[1]),
        ours=RowSide.of(*ours),
        theirs=RowSide.of(*theirs),
        at_least=at_least,
    )
