"""Measures the cost of a quota for an innocent's check: keys without and with limits, in turn.

The limits are out of reach, so that nobody is refused: both a minute's and a day's are taken from.
Neither key's account has limits besides.
"""

from datetime import date, datetime
from pathlib import Path

from loadtest.bench_checks import (
    CROWD,
    VERIFIED,
    ChecksPlan,
    alternate,
    check_request,
    service_run,
    verify,
)
from loadtest.bench_report import QuotaReport
from loadtest.crowd import CrowdSubject, ListForm
from loadtest.figures import Figures
from loadtest.generator import Load
from loadtest.origin import Origin
from loadtest.population import Population

ITEMS_PER_MINUTE = 100_000_000
ITEMS_PER_DAY = 1_000_000_000


def measure_quota(plan: ChecksPlan, folder: Path, now: datetime, today: date) -> QuotaReport:
    """Measure both keys on one service, in a folder of its own; `today` is Shanghai's day."""
    population = Population(plan.seed, plan.listings, today=today)
    crowd = list(population.crowd(CROWD, 0.0, form=ListForm.ZXGK))
    with service_run(population, folder) as run:
        verify(population, run.port, run.key, today)
        limited_key = run.new_key("institution", quota=ITEMS_PER_MINUTE, daily_quota=ITEMS_PER_DAY)
        unlimited, limited = alternate(
            _load(plan, run.port, crowd, run.key),
            _load(plan, run.port, crowd, limited_key),
            plan.rounds,
        )
    return QuotaReport(
        origin=Origin.here(now),
        listings=plan.listings,
        crowd=CROWD,
        connections=plan.connections,
        round_seconds=plan.round_seconds,
        verified_answers=VERIFIED,
        unlimited=Figures.of(unlimited),
        limited=Figures.of(limited),
    )


def _load(plan: ChecksPlan, port: int, crowd: list[CrowdSubject], key: str) -> Load:
    return Load(
        port=port,
        requests=[check_request(subject, key) for subject in crowd],
        connections=plan.connections,
        seconds=plan.round_seconds,
    )
