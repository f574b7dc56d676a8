"""Pauses between attempts: soon at first, then for days, and never all at once."""

import random
from datetime import timedelta

from checker.notices.schedule import DELAYS_S, JITTER, RETRY_AFTER_S_MAX, retry_in


class Middle(random.Random):
    """Draws the middle, whatever is asked."""

    def uniform(self, a, b):
        return (a + b) / 2


def test_a_delivery_is_tried_for_days_with_growing_pauses_and_then_given_up():
    pauses = [retry_in(failures, Middle()) for failures in range(1, len(DELAYS_S) + 1)]
    assert pauses == sorted(pauses)
    assert pauses[0] < timedelta(seconds=1)
    assert timedelta(days=3) < sum(pauses, timedelta()) < timedelta(days=4)
    assert retry_in(len(DELAYS_S) + 1, Middle()) is None


def test_a_pause_is_spread_by_chance_within_its_bounds():
    draw = random.Random(18)
    minute = DELAYS_S.index(60) + 1
    drawn = {retry_in(minute, draw).total_seconds() for _ in range(100)}
    assert len(drawn) > 90
    assert 60 * (1 - JITTER) <= min(drawn) < 55
    assert 65 < max(drawn) <= 60 * (1 + JITTER)


def test_a_receiver_may_ask_for_a_longer_pause_up_to_a_day():
    assert retry_in(1, Middle(), asked_s=120) == timedelta(minutes=2)
    assert retry_in(1, Middle(), asked_s=0) == retry_in(1, Middle())
    assert retry_in(1, Middle(), asked_s=10**9) == timedelta(seconds=RETRY_AFTER_S_MAX)
