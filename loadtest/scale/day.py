"""Walks one day of a register, with one failure at the peak: who is answered, late, or not at all.

Time goes by the minute, and by the second from the failure on. Arrivals are Poisson, drawn from a
seed and independent of the layout, so two layouts meet the same day. A question is answered once,
or its caller gives up. A 503 and a refused connection make the caller ask again after the
`Retry-After`. Questions that wait are served in the order in which they came: first those that
the worker answers alone, then those that PostgreSQL must keep.

The model of each failure follows from the design:

    failure      effect
    node         its share of the callers is refused until the balancer notices
    redis        none for checks: PostgreSQL's word renews the leases (cache/lease.py)
    publisher    none for checks, for the same reason; another process leads within seconds
    postgres     kept answers are 503 at once; innocents after LEASE_S, until the standby leads
    both         as postgres
"""

from collections import deque
from collections.abc import Iterator
from enum import StrEnum

import msgspec
import numpy as np

from cache.lease import LEASE_S
from loadtest.scale.capacity import REQUESTS_A_TICKET, SECOND_US, Layout
from loadtest.scale.inputs import Assumptions
from loadtest.scale.registers import MINUTES, Register

WATCHED_S = 1200
"""Seconds after the failure that are walked one by one."""

REJOIN_S = 1
"""Until workers have found the new primary: a pulse of 0.2 s and the next renewal of the lease."""


class ScaleFailure(StrEnum):
    """A part that fails at the peak."""

    NOTHING = "nothing"
    NODE = "node"
    REDIS = "redis"
    PUBLISHER = "publisher"
    POSTGRES = "postgres"
    BOTH = "both"


class DayResult(msgspec.Struct, frozen=True, kw_only=True):
    """The questions of a day by their end. `again` is 503 answers and refusals, each asked again.

    `troubled` questions met at least one of them. `seconds` is the time from the failure to the
    last second with a refusal or a late answer.
    """

    questions: int
    answered: int
    late: int
    given_up: int
    waiting: int
    troubled: int
    again: int
    longest_s: float
    seconds: int


class _Cohort(msgspec.Struct):
    """Questions of one kind that were asked in one step."""

    asked_at: int
    count: int
    tries: int
    is_kept: bool
    us: float
    postgres_us: float


class _Away(msgspec.Struct, frozen=True, kw_only=True):
    """Spans in seconds of the day; an empty span lasts from 0 to 0."""

    kept: tuple[float, float] = (0, 0)
    innocent: tuple[float, float] = (0, 0)
    refused: tuple[float, float] = (0, 0)
    machines_lost: int = 0


def _away(failure: ScaleFailure, begin: int, assumed: Assumptions) -> _Away:
    match failure:
        case ScaleFailure.NODE:
            return _Away(refused=(begin, begin + assumed.balancer_notice_s), machines_lost=1)
        case ScaleFailure.POSTGRES | ScaleFailure.BOTH:
            end = begin + assumed.postgres_failover_s + REJOIN_S
            return _Away(kept=(begin, end), innocent=(begin + LEASE_S, end))
        case _:
            return _Away()


def steps_of(begin: int) -> list[tuple[int, int]]:
    """Return the instants and lengths of the day's steps, in seconds."""
    end = begin + WATCHED_S
    whole = MINUTES * 60
    return [
        (at, length)
        for start in range(0, whole, 60)
        for at, length in (
            [(second, 1) for second in range(start, start + 60)]
            if begin <= start < end
            else [(start, 60)]
        )
    ]


class Day:
    """One day of a register on a layout, with a failure at the peak."""

    def __init__(
        self,
        register: Register,
        layout: Layout,
        measured: dict[str, float],
        assumed: Assumptions,
        *,
        failure: ScaleFailure,
        seed: int,
    ) -> None:
        self._register = register
        self._layout = layout
        self._measured = measured
        self._assumed = assumed
        self._begin = register.peak_minute * 60
        self._away = _away(failure, self._begin, assumed)
        self._seed = seed
        self._lanes: tuple[deque[_Cohort], deque[_Cohort]] = (deque(), deque())
        self._again: deque[tuple[int, _Cohort]] = deque()
        self._counts = dict.fromkeys(DayResult.__struct_fields__, 0)

    def walk(self) -> DayResult:
        """Walk the day, and return its questions by their end."""
        for at, length, arrivals in self._arrivals():
            while self._again and self._again[0][0] <= at:
                self._admit(self._again.popleft()[1], at)
            for cohort in arrivals:
                self._counts["questions"] += cohort.count
                self._admit(cohort, at)
            self._serve(at, length)
        left = [*self._lanes[0], *self._lanes[1], *(each for _, each in self._again)]
        self._counts["waiting"] = sum(each.count for each in left)
        return DayResult(**self._counts)

    def _arrivals(self) -> Iterator[tuple[int, int, list[_Cohort]]]:
        register = self._register
        costs = [self._cost(kind) for kind in ("innocent", "adverse", "spending")]
        steps = steps_of(self._begin)
        draw = np.random.default_rng(self._seed)
        checks = draw.poisson([register.checks_at(at // 60) * length for at, length in steps])
        adverse = draw.binomial(checks, register.adverse_share)
        tickets = draw.poisson([register.tickets_at(at // 60) * length for at, length in steps])
        for index, (at, length) in enumerate(steps):
            innocent = int(checks[index] - adverse[index])
            counts = (innocent, int(adverse[index]), int(tickets[index]) * REQUESTS_A_TICKET)
            cohorts = [
                _Cohort(asked_at=at, count=count, tries=0, is_kept=kept, us=us, postgres_us=pg_us)
                for count, kept, (us, pg_us) in zip(counts, (False, True, True), costs, strict=True)
            ]
            yield at, length, [cohort for cohort in cohorts if cohort.count]

    def _cost(self, kind: str) -> tuple[float, float]:
        return self._measured[f"{kind}_worker_us"], self._measured[f"{kind}_postgres_us"]

    def _admit(self, cohort: _Cohort, at: int) -> None:
        """Put a cohort into its lane; the callers of a lost machine are refused."""
        if _is_within(self._away.refused, at):
            refused = cohort.count // self._layout.machines
            self._ask_again(cohort, refused, at)
            cohort.count -= refused
        self._lanes[cohort.is_kept].append(cohort)

    def _serve(self, at: int, length: int) -> None:
        layout, away = self._layout, self._away
        is_failed = at >= self._begin
        a_machine = layout.workers // layout.machines
        workers = layout.workers - a_machine * (away.machines_lost if is_failed else 0)
        idle = self._measured["idle_worker_us"]
        worker_us = workers * length * (SECOND_US - idle)
        postgres_us = layout.postgres_cores * length * SECOND_US
        for lane in self._lanes:
            while lane:
                cohort = lane[0]
                is_away = _is_within(away.kept if cohort.is_kept else away.innocent, at)
                us = self._measured["unavailable_us"] if is_away else cohort.us
                served = min(cohort.count, int(worker_us // us))
                if cohort.is_kept and not is_away:
                    served = min(served, int(postgres_us // cohort.postgres_us))
                    postgres_us -= served * cohort.postgres_us
                worker_us -= served * us
                if is_away:
                    self._ask_again(cohort, served, at)
                else:
                    self._answer(cohort, served, at)
                cohort.count -= served
                if cohort.count:
                    break
                lane.popleft()

    def _answer(self, cohort: _Cohort, count: int, at: int) -> None:
        waited = at - cohort.asked_at
        self._counts["answered"] += count
        self._counts["longest_s"] = max(self._counts["longest_s"], waited if count else 0)
        if waited >= self._assumed.late_s and count:
            self._counts["late"] += count
            self._trouble(at)

    def _ask_again(self, cohort: _Cohort, count: int, at: int) -> None:
        if not count:
            return
        self._trouble(at)
        self._counts["again"] += count
        if cohort.tries == 0:
            self._counts["troubled"] += count
        if cohort.tries + 1 >= self._assumed.tries_max:
            self._counts["given_up"] += count
            return
        later = msgspec.structs.replace(cohort, count=count, tries=cohort.tries + 1)
        self._again.append((at + self._assumed.retry_after_s, later))

    def _trouble(self, at: int) -> None:
        self._counts["seconds"] = max(self._counts["seconds"], at - self._begin + 1)


def _is_within(span: tuple[float, float], at: float) -> bool:
    return span[0] <= at < span[1]
