"""The simulated day: every question ends once, and more machines are never worse."""

from itertools import pairwise

import msgspec
import pytest

from loadtest.scale.capacity import lay_out
from loadtest.scale.day import Day, DayResult, ScaleFailure, steps_of
from loadtest.scale.inputs import Assumptions, load_measured, values_of
from loadtest.scale.registers import MINUTES, REGISTERS, Register, Rush

ASSUMED = Assumptions()
MEASURED = values_of(load_measured())
BY_NAME = {register.name: register for register in REGISTERS}
RUSH = BY_NAME["rush"]


def walked(
    register: Register,
    failure: ScaleFailure,
    *,
    seed: int = 1,
    machines: int = 0,
    assumed: Assumptions = ASSUMED,
) -> DayResult:
    layout = lay_out(register, MEASURED, assumed)
    count = machines or layout.machines
    layout = msgspec.structs.replace(
        layout, machines=count, workers=count * assumed.cores_per_machine
    )
    return Day(register, layout, MEASURED, assumed, failure=failure, seed=seed).walk()


def test_the_steps_cover_the_day_once() -> None:
    steps = steps_of(RUSH.peak_minute * 60)
    assert steps[0][0] == 0
    assert all(at + length == after for (at, length), (after, _) in pairwise(steps))
    assert sum(length for _, length in steps) == MINUTES * 60


@pytest.mark.parametrize("failure", ScaleFailure)
@pytest.mark.parametrize("name", BY_NAME)
def test_no_question_is_answered_twice_or_lost(name: str, failure: ScaleFailure, seed: int) -> None:
    day = walked(BY_NAME[name], failure, seed=seed)
    assert day.questions == day.answered + day.given_up + day.waiting
    assert day.waiting == 0
    assert day.late <= day.answered
    assert day.troubled <= day.again


@pytest.mark.parametrize("machines", [1, 2, 3])
def test_questions_that_no_worker_reaches_still_wait_in_the_end(machines: int) -> None:
    late_flood = msgspec.structs.replace(
        RUSH,
        rush=Rush(
            starts_at=MINUTES - 2,
            minutes=2,
            days_a_year=1,
            checks_per_second=1_000_000,
            tickets_per_second=0,
        ),
    )
    day = walked(late_flood, ScaleFailure.NOTHING, machines=machines)
    assert day.waiting > 0
    assert day.questions == day.answered + day.given_up + day.waiting


def test_the_same_seed_gives_the_same_day(seed: int) -> None:
    first = walked(RUSH, ScaleFailure.POSTGRES, seed=seed)
    assert walked(RUSH, ScaleFailure.POSTGRES, seed=seed) == first


@pytest.mark.parametrize("failure", ScaleFailure)
def test_more_machines_are_never_worse(failure: ScaleFailure, seed: int) -> None:
    enough = lay_out(RUSH, MEASURED, ASSUMED).machines
    days = [
        walked(RUSH, failure, seed=seed, machines=machines)
        for machines in (max(2, enough // 2), enough, 2 * enough)
    ]
    assert len({day.questions for day in days}) == 1
    for fewer, more in pairwise(days):
        assert more.late + more.given_up <= fewer.late + fewer.given_up
        assert more.longest_s <= fewer.longest_s
        assert more.waiting <= fewer.waiting


@pytest.mark.parametrize("failure", [ScaleFailure.NOTHING, ScaleFailure.REDIS])
def test_a_day_without_redis_is_like_any_other_for_checks(failure: ScaleFailure) -> None:
    day = walked(RUSH, failure)
    assert (day.late, day.given_up, day.again, day.seconds) == (0, 0, 0, 0)


def test_a_lost_machine_troubles_its_share_until_the_balancer_notices() -> None:
    day = walked(RUSH, ScaleFailure.NODE)
    machines = lay_out(RUSH, MEASURED, ASSUMED).machines
    assert RUSH.rush is not None
    asked = (RUSH.rush.checks_per_second + 2 * RUSH.rush.tickets_per_second) * 3
    assert day.troubled == pytest.approx(asked / machines, rel=0.02)


def test_a_slower_failover_of_postgresql_troubles_more_questions() -> None:
    slow = msgspec.structs.replace(ASSUMED, postgres_failover_s=60.0)
    quick = msgspec.structs.replace(ASSUMED, postgres_failover_s=10.0)
    register = BY_NAME["list"]
    longer = walked(register, ScaleFailure.POSTGRES, assumed=slow)
    shorter = walked(register, ScaleFailure.POSTGRES, assumed=quick)
    assert longer.troubled > shorter.troubled
    assert longer.seconds > shorter.seconds


def test_a_caller_gives_up_after_the_last_try() -> None:
    impatient = msgspec.structs.replace(ASSUMED, tries_max=5)
    day = walked(BY_NAME["list"], ScaleFailure.POSTGRES, assumed=impatient)
    assert 0 < day.given_up <= day.troubled
    assert day.questions == day.answered + day.given_up
