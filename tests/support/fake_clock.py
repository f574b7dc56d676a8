"""The one fake clock of all tests; it replaces the service's clock and the clocks in seconds."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)


class FakeClock:
    """A clock that stands until a test sets or moves it.

    `now()` returns `instant`, like the service's clock. A call returns `seconds`, like
    `time.monotonic`. A test may set each by itself; `move` moves both.
    """

    def __init__(
        self, instant: datetime = START, *, seconds: float = 0.0, step_s: float = 0.0
    ) -> None:
        """Start at both; every call first adds `step_s` to `seconds`."""
        self.instant = instant
        self.seconds = seconds
        self._step_s = step_s

    def now(self) -> datetime:
        return self.instant

    def __call__(self) -> float:
        self.seconds += self._step_s
        return self.seconds

    def move(self, **by: float) -> None:
        """Move forward by a time, given as the arguments of `timedelta`."""
        passed = timedelta(**by)
        self.instant += passed
        self.seconds += passed.total_seconds()
