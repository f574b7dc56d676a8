"""Pauses between attempts: soon at first, then for days, and never all at once."""

import random
from datetime import timedelta

import pytest

from checker.notices.schedule import JITTER, RETRY_AFTER_S_MAX, SCHEDULE, RetrySchedule


class Middle(random.Random):
    """Draws the middle, whatever is asked."""

    def uniform(self, a, b):
        return (a + b) / 2


def test_a_delivery_is_tried_for_days_with_growing_pauses_and_then_given_up():
    pauses = [
        SCHEDULE.retry_in(failures, Middle()) for failures in range(1, len(SCHEDULE.delays_s) + 1)
    ]
    assert pauses == sorted(pauses)
    assert pauses[0] < timedelta(seconds=1)
    assert timedelta(days=3) < sum(pauses, timedelta()) < timedelta(days=4)
    assert SCHEDULE.retry_in(len(SCHEDULE.delays_s) + 1, Middle()) is None


def test_a_pause_is_spread_by_chance_within_its_bounds():
    draw = random.Random(18)
    minute = SCHEDULE.delays_s.index(60) + 1
    drawn = {SCHEDULE.retry_in(minute, draw).total_seconds() for _ in range(100)}
    assert len(drawn) > 90
    assert 60 * (1 - JITTER) <= min(drawn) < 55
    assert 65 < max(drawn) <= 60 * (1 + JITTER)


def test_a_receiver_may_ask_for_a_longer_pause_up_to_a_day():
    assert SCHEDULE.retry_in(1, Middle(), asked_s=120) == timedelta(minutes=2)
    assert SCHEDULE.retry_in(1, Middle(), asked_s=0) == SCHEDULE.retry_in(1, Middle())
    assert SCHEDULE.retry_in(1, Middle(), asked_s=10**9) == timedelta(seconds=RETRY_AFTER_S_MAX)


def test_an_endpoint_rests_by_the_same_delays_up_to_five_minutes():
    rests = [SCHEDULE.rest(failures, Middle()) for failures in range(1, 40)]
    delays = [SCHEDULE.retry_in(failures, Middle()) for failures in range(1, 11)]
    assert rests[:10] == delays
    assert set(rests[10:]) == {timedelta(minutes=5)}
    assert SCHEDULE.rest(1, Middle(), asked_s=3600) == timedelta(hours=1)


@pytest.mark.parametrize("delays_s", [(), (2,), (1, 2, 3), (60, 600, 6_000), (400, 800)])
def test_any_other_schedule_tries_as_often_as_it_has_delays_and_rests_within_its_bound(delays_s):
    schedule = RetrySchedule(delays_s=delays_s, rest_s_max=300)
    tries = range(1, len(delays_s) + 1)
    assert [schedule.retry_in(each, Middle()).total_seconds() for each in tries] == list(delays_s)
    assert schedule.retry_in(len(delays_s) + 1, Middle()) is None
    for failures in range(1, 10):
        assert timedelta() < schedule.rest(failures, Middle()) <= timedelta(seconds=300)
