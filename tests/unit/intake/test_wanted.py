"""An operation that nobody waits for any more is not begun."""

import pytest

from checker.errors import Unavailable
from checker.intake.wanted import STOPPED_S_MAX, WAIT_S_MAX, Wanted


class SetClock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def run(self, wanted, seconds):
        """Let time pass for a process that runs."""
        for _ in range(round(seconds)):
            self.seconds += 1
            wanted.beat()


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def wanted(clock):
    return Wanted(clock)


def test_an_operation_is_begun_while_its_caller_waits(clock, wanted):
    clock.run(wanted, WAIT_S_MAX)
    wanted.require()


def test_an_operation_whose_caller_has_gone_is_not_begun(wanted):
    wanted.leave()
    with pytest.raises(Unavailable, match="gone"):
        wanted.require()


def test_an_operation_that_waited_for_too_long_is_not_begun(clock, wanted):
    clock.run(wanted, WAIT_S_MAX + 1)
    wanted.require_present()
    with pytest.raises(Unavailable, match="waited"):
        wanted.require()


def test_each_part_of_an_operation_waits_for_its_own_turn(clock, wanted):
    clock.run(wanted, WAIT_S_MAX)
    wanted.waits()
    clock.run(wanted, WAIT_S_MAX)
    wanted.require()


@pytest.mark.parametrize("beats_first", [True, False])
def test_an_operation_in_a_process_that_was_stopped_is_not_begun(clock, wanted, beats_first):
    clock.run(wanted, 3)
    clock.seconds += STOPPED_S_MAX + 1
    if beats_first:
        clock.run(wanted, 2)
    wanted.waits()
    with pytest.raises(Unavailable, match="gone"):
        wanted.require()
