"""Decides whether the caller still wants an operation of a feed when its turn has come.

A sender that got no answer in time sends the operation again, and then the next one. The first copy
may still wait in a frozen worker or in a queue. If that copy were carried out afterwards, it would
undo the later operations. So an operation is not begun in these cases:

| case                                                    | sign                                   |
|---------------------------------------------------------|----------------------------------------|
| the caller has closed the connection                    | `leave` was called                     |
| the operation has waited for longer than `WAIT_S_MAX`   | `waits` starts the measure             |
| the process was stopped for longer than `STOPPED_S_MAX` | `beat` is called each second, or not   |

`require` is called behind the lock of the list. Nobody else can change the list while a process
holds that lock, so nothing can overtake an operation after `require`.

A worker that was frozen before it read a request cannot know how long the bytes have waited in its
socket. There the closed connection is the only sign. The sender's own protection is an
`Idempotency-Key` or `If-Match`.
"""

import time
from collections.abc import Callable
from typing import Final

from checker.errors import Unavailable

WAIT_S_MAX: Final = 30.0
"""As long as common HTTP clients wait for an answer. A caller waits no longer, so nobody wants the
operation any more."""

STOPPED_S_MAX: Final = 10.0
"""A live process beats each second. Ten beats are missed by a process that was stopped."""

BEAT_S: Final = 1.0


def boot_clock() -> float:
    """Return the seconds since the machine started. The clock goes on while a process is frozen."""
    # A sleeping laptop stops CLOCK_MONOTONIC; macOS has no CLOCK_BOOTTIME.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Wanted:
    """The caller of one operation, and the time that the caller has waited."""

    def __init__(self, clock: Callable[[], float] = boot_clock) -> None:
        self._clock = clock
        self._since = self._beaten_at = clock()
        self._has_left = False
        self._was_stopped = False

    def waits(self) -> None:
        """Start to measure a wait: from now on the operation waits for its turn."""
        self._since = self._clock()

    def beat(self) -> None:
        """Note that the process runs."""
        now = self._clock()
        self._was_stopped |= now - self._beaten_at > STOPPED_S_MAX
        self._beaten_at = now

    def leave(self) -> None:
        """Note that the caller has gone."""
        self._has_left = True

    def require_present(self) -> None:
        """Raise Unavailable if the caller has gone, or may have gone while the process stood."""
        self.beat()
        if self._has_left or self._was_stopped:
            raise Unavailable("the caller has gone, so the operation was not begun")

    def require(self) -> None:
        """Raise Unavailable if the operation must not be begun. Nothing of the operation is done
        then.
        """
        self.require_present()
        if self._clock() - self._since > WAIT_S_MAX:
            raise Unavailable("the operation has waited for too long, so it was not begun")
