"""The breaker, under a clock that stands still until told."""

import pytest

from cache.breaker import Breaker
from tests.support.fake_clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock(seconds=100.0)


@pytest.fixture
def breaker(clock):
    return Breaker(clock=clock, pause_s=0.5)


def test_everyone_may_ask_until_something_fails(breaker):
    assert all(breaker.allows() for _ in range(3))


def test_nobody_may_ask_after_a_failure_until_the_pause_is_over(breaker, clock):
    breaker.failed()
    assert not breaker.allows()
    clock.seconds += 0.49
    assert not breaker.allows()


def test_one_caller_tries_when_the_pause_is_over(breaker, clock):
    breaker.failed()
    clock.seconds += 0.5
    assert [breaker.allows(), breaker.allows()] == [True, False]


def test_a_trial_that_succeeds_lets_everyone_ask(breaker, clock):
    breaker.failed()
    clock.seconds += 0.5
    assert breaker.allows()
    breaker.succeeded()
    assert all(breaker.allows() for _ in range(3))


def test_a_trial_that_fails_starts_the_pause_again(breaker, clock):
    breaker.failed()
    clock.seconds += 0.5
    assert breaker.allows()
    clock.seconds += 0.2
    breaker.failed()
    clock.seconds += 0.4
    assert not breaker.allows()
    clock.seconds += 0.1
    assert breaker.allows()


def test_a_trial_that_never_reports_blocks_one_pause_only(breaker, clock):
    breaker.failed()
    clock.seconds += 0.5
    assert breaker.allows()
    clock.seconds += 0.5
    assert breaker.allows()
