"""An operation that nobody waits for any more is not begun."""

import pytest

from checker.errors import Unavailable
from checker.intake.wanted import STOPPED_S_MAX, WAIT_S_MAX, Wanted
from tests.support.fake_clock import FakeClock


def run(clock, wanted, seconds):
    """Let time pass for a process that runs."""
    for _ in range(round(seconds)):
        clock.seconds += 1
        wanted.beat()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def wanted(clock):
    return Wanted(clock)


def test_an_operation_is_begun_while_its_caller_waits(clock, wanted):
    run(clock, wanted, WAIT_S_MAX)
    wanted.require()


def test_an_operation_whose_caller_has_gone_is_not_begun(wanted):
    wanted.leave()
    with pytest.raises(Unavailable, match="gone"):
        wanted.require()


def test_an_operation_that_waited_for_too_long_is_not_begun(clock, wanted):
    run(clock, wanted, WAIT_S_MAX + 1)
    wanted.require_present()
    with pytest.raises(Unavailable, match="waited"):
        wanted.require()


def test_each_part_of_an_operation_waits_for_its_own_turn(clock, wanted):
    run(clock, wanted, WAIT_S_MAX)
    wanted.waits()
    run(clock, wanted, WAIT_S_MAX)
    wanted.require()


@pytest.mark.parametrize("beats_first", [True, False])
def test_an_operation_in_a_process_that_was_stopped_is_not_begun(clock, wanted, beats_first):
    run(clock, wanted, 3)
    clock.seconds += STOPPED_S_MAX + 1
    if beats_first:
        run(clock, wanted, 2)
    wanted.waits()
    with pytest.raises(Unavailable, match="gone"):
        wanted.require()
