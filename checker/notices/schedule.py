"""When a delivery is tried again: soon at first, then as Standard Webhooks recommends, for days.

The first tries are seconds apart, because most receivers that fail are being restarted; from the
fifth minute on the gaps are those of the specification's own example, up to a day.
"""

import random
from datetime import timedelta
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE

DELAYS_S: Final = (
    *(0.25, 0.5, 1, 2, 4, 8, 15, 30, _MINUTE),
    *(5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR),
)
"""After each failure in turn; 76 hours together. After one more the delivery is dead."""

JITTER: Final = 0.2
"""The share by which a delay may be shorter or longer, so that not all come back at once."""

RETRY_AFTER_S_MAX: Final = 24 * _HOUR
"""A receiver may ask for a longer pause than ours, up to a day."""


def retry_in(failures: int, draw: random.Random, *, asked_s: int | None = None) -> timedelta | None:
    """Give the pause after so many failures of one delivery (1 or more); None: it is dead.

    `asked_s` is what the receiver asked for (`Retry-After`).
    """
    assert failures >= 1, "something failed"
    if failures > len(DELAYS_S):
        return None
    pause_s = DELAYS_S[failures - 1] * draw.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=max(pause_s, min(asked_s or 0, RETRY_AFTER_S_MAX)))
