"""A breaker: after a failure nobody asks for a while, and then one caller tries for all.

Without a breaker each request behind a dead server waits for its own time-out, and requests pile
up. This file must not know what is asked.
"""

from collections.abc import Callable


class Breaker:
    """Closed: everyone may ask. Open: nobody, for `pause_s` after the latest failure or trial."""

    __slots__ = ("_clock", "_pause_s", "_retry_at")

    def __init__(self, *, clock: Callable[[], float], pause_s: float) -> None:
        self._clock = clock
        self._pause_s = pause_s
        self._retry_at: float | None = None

    def allows(self) -> bool:
        """Return whether the caller may ask now; the first one after a pause is the trial."""
        if self._retry_at is None:
            return True
        now = self._clock()
        if now < self._retry_at:
            return False
        # Claimed by pushing the time on, so that a trial which never reports blocks one pause only.
        self._retry_at = now + self._pause_s
        return True

    def succeeded(self) -> None:
        """Close: the server answered."""
        self._retry_at = None

    def failed(self) -> None:
        """Open: the server did not answer."""
        self._retry_at = self._clock() + self._pause_s
