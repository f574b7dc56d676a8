"""How long a follower waits before it looks again."""

import pytest

from checker.connector.connector import pause_s


@pytest.mark.parametrize(
    ("failures", "interval_s", "chance", "expected"),
    [
        (0, 60, 0.0, 60),
        (0, 60, 0.9, 60),
        (1, 60, 0.0, 1),
        (1, 60, 0.5, 0.75),
        (2, 60, 0.0, 2),
        (6, 60, 0.0, 32),
        (7, 60, 0.0, 60),
        (7, 60, 1.0, 30),
        (10_000, 60, 0.0, 60),
        (10_000, 86_400, 0.0, 86_400),
        (5, 1, 0.0, 1),
    ],
)
def test_a_failing_source_is_asked_soon_then_seldom_never_past_the_interval(
    failures, interval_s, chance, expected
):
    assert pause_s(failures, interval_s, chance) == expected
