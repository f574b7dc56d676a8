"""Rows of `make bench` and the parts of a check, measured for a moment on one small service."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import uvloop

from checker.domain.clock import shanghai_day
from loadtest.baselines.running import BASELINES, BaselinePlace, missing
from loadtest.crowd import CrowdSubject
from loadtest.population import Population
from loadtest.questions import CHECKS, check_body, denied, innocents, verify
from loadtest.rows.batch import batch
from loadtest.rows.innocent import half_rate, with_name
from loadtest.rows.kept import adverse
from loadtest.rows.row import Ground, Row, RowPlan
from loadtest.service import service_run
from loadtest.where_time_goes import timed_parts
from tests.support.private_folder import private_folder

LISTINGS = 200
CALLS = 200
CONSTANT = {"litestar", "bare-asgi"}

pytestmark = pytest.mark.xdist_group("integration-bench")


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    today = shanghai_day(datetime.now(UTC))
    population = Population(1, LISTINGS, today=today)
    plan = RowPlan(
        seed=1,
        listings=LISTINGS,
        rounds=1,
        round_seconds=0.3,
        connections=4,
        before=None,
        today=today,
    )
    with private_folder() as folder, service_run(population, folder) as run:
        verify(population, run.port, run.key, today)
        yield Ground(plan=plan, run=run, population=population, folder=folder)


def decision(port: int, subject: CrowdSubject) -> str:
    headers = {"Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}{CHECKS}"
    answer = httpx.post(url, content=check_body(subject), headers=headers)
    return str(answer.raise_for_status().json()["decision"])


@pytest.mark.parametrize("measure", [with_name, half_rate, batch, adverse])
def test_a_row_of_right_answers_has_a_value_and_a_goal(measure, ground: Ground) -> None:
    rows: list[Row] = measure(ground)

    assert [row.value is not None and row.is_met is not None for row in rows] == [True]


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "insert"])
def test_a_baseline_denies_the_listed_unless_its_answer_is_constant(
    name: str, ground: Ground
) -> None:
    if missing(name):
        assert name == "nginx", "every other baseline runs wherever the project is installed"
        return
    listed = denied(ground.population, ground.plan.today)[:20]
    with private_folder() as folder:
        place = BaselinePlace(folder=folder, population=ground.population)
        with BASELINES[name](place) as port:
            allowed = [decision(port, each) for each in innocents(ground.population, 5)]
            refused = [decision(port, each) for each in listed]

    assert {*allowed} == {"allow"}
    # A baseline compares the number as it is typed, so it misses another spelling.
    assert "deny" in refused or name in CONSTANT


def test_every_part_of_a_check_takes_time(ground: Ground) -> None:
    bodies = [check_body(subject) for subject in innocents(ground.population, 50)]

    parts = uvloop.run(timed_parts(ground.run, bodies, ground.run.key, calls=CALLS))

    assert len(parts) == len({part.name for part in parts}) == 12
    assert all(part.us >= 0 for part in parts)
    assert sum(part.us for part in parts if not part.is_within) > 1
