"""A server whose workers die one after another starts again, one that cannot start does not."""

import pytest

from checker.server import SERVED_S_MIN, keep_serving


class Ended:
    """A server that serves for so long, and then ends by a signal or gives up."""

    def __init__(self, clock: "Clock", lasts_s: float, *, by_signal: bool) -> None:
        self.interrupt_signal = False
        self._clock = clock
        self._lasts_s = lasts_s
        self._by_signal = by_signal

    def serve(self) -> None:
        self._clock.seconds += self._lasts_s
        self.interrupt_signal = self._by_signal
        if not self._by_signal:
            raise SystemExit(1)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def serve(*lives: tuple[float, bool]) -> int:
    """Serve with servers of these lives, one after the other; give how many were started."""
    clock, left = Clock(), list(lives)

    def make() -> Ended:
        lasts_s, by_signal = left.pop(0)
        return Ended(clock, lasts_s, by_signal=by_signal)

    keep_serving(make, clock=clock)
    return len(lives) - len(left)


def test_a_server_that_is_told_to_end_is_not_started_again() -> None:
    assert serve((1.0, True), (1.0, True)) == 1


def test_a_server_that_gave_up_on_its_workers_is_started_again() -> None:
    assert serve((SERVED_S_MIN, False), (SERVED_S_MIN, False), (0.0, True), (0.0, True)) == 3


def test_a_server_that_cannot_start_ends_with_its_code() -> None:
    with pytest.raises(SystemExit):
        serve((SERVED_S_MIN - 1, False), (0.0, True))


def test_one_that_was_started_again_and_cannot_start_ends_too() -> None:
    with pytest.raises(SystemExit):
        serve((SERVED_S_MIN, False), (1.0, False), (0.0, True))
