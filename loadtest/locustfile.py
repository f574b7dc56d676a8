"""Locust users as sellers and courts behave, against a running demo.

    python -m loadtest.load                          all scenarios for 20 seconds
    python -m loadtest.load TicketRush --users 50    one of them
    CHECKER_KEY=… CHECKER_COURT_KEY=… locust --locustfile loadtest/locustfile.py --host …

A wrong answer fails the run, and so does a failure share or a p99 above its budget.
"""

import argparse
from typing import Any

from locust import events
from locust.env import Environment

from loadtest.scenarios.budget import LoadBudget, LoadFigures, overspent
from loadtest.scenarios.publishing_court import PublishingCourt
from loadtest.scenarios.resort_counter import ResortCounter
from loadtest.scenarios.sales import crowd
from loadtest.scenarios.sellers import (
    AgencyManifests,
    EnrolmentDay,
    HotelEvening,
    OpenRate,
    TicketRush,
)

__all__ = [
    "AgencyManifests",
    "EnrolmentDay",
    "HotelEvening",
    "OpenRate",
    "PublishingCourt",
    "ResortCounter",
    "TicketRush",
]


@events.init_command_line_parser.add_listener
def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--failures-max", type=float, default=0.001, help="share of requests")
    parser.add_argument("--p99-ms-max", type=float, default=500.0)
    parser.add_argument("--arrivals", type=float, default=0.0, help="of OpenRate, a second")


@events.init.add_listener
def _make_the_crowd(**_: Any) -> None:
    """Make the crowd before the time of the run begins: it takes a second of the processor."""
    crowd()


@events.quitting.add_listener
def _fail_beyond_the_budget(environment: Environment, **_: Any) -> None:
    options, stats = environment.parsed_options, environment.stats
    assert options is not None, "locust has read its command line"
    budget = LoadBudget(failures_max=options.failures_max, p99_ms_max=options.p99_ms_max)
    figures = LoadFigures(
        requests=stats.total.num_requests,
        failures=stats.total.num_failures,
        p99_ms=stats.total.get_response_time_percentile(0.99) or 0.0,
        errors=tuple(f"{error.name}: {error.error}" for error in stats.errors.values()),
    )
    reasons = overspent(budget, figures)
    for reason in reasons:
        print(f"over budget: {reason}")
    environment.process_exit_code = 1 if reasons else 0
