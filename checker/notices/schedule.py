"""When a delivery is tried again: soon at first, then as Standard Webhooks recommends, for days.

The first tries are seconds apart, because most receivers that fail are being restarted. From the
fifth minute on the delays are those of the specification's own example, up to a day. A deployment
with other receivers changes `SCHEDULE`, and nothing else.
"""

import random
from datetime import timedelta
from typing import Final

import msgspec

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE

JITTER: Final = 0.2
"""The share by which a delay may be shorter or longer, so that not all tries come at once."""

RETRY_AFTER_S_MAX: Final = 24 * _HOUR
"""A receiver may ask for a longer delay than ours, up to a day."""


class RetrySchedule(msgspec.Struct, frozen=True, kw_only=True):
    """The delay after each failure of a delivery in turn; after one more the delivery is dead.

    An endpoint that acknowledges nothing rests by the same delays, at most `rest_s_max`: so an
    endpoint that comes back is found, whatever waits for it.
    """

    delays_s: tuple[float, ...]
    rest_s_max: float

    def retry_in(
        self, failures: int, draw: random.Random, *, asked_s: int | None = None
    ) -> timedelta | None:
        """Return the delay after `failures` of one delivery, 1 or more; None: it is dead.

        `asked_s` is the delay that the receiver asked for (`Retry-After`).
        """
        assert failures >= 1, "something failed"
        if failures > len(self.delays_s):
            return None
        return _spread(self.delays_s[failures - 1], draw, asked_s)

    def rest(self, failures: int, draw: random.Random, *, asked_s: int | None = None) -> timedelta:
        """Return the rest of an endpoint after `failures` rounds in a row without a success."""
        assert failures >= 1, "something failed"
        delays_s = self.delays_s[:failures] or (self.rest_s_max,)
        return _spread(min(delays_s[-1], self.rest_s_max), draw, asked_s)


def _spread(delay_s: float, draw: random.Random, asked_s: int | None) -> timedelta:
    spread_s = delay_s * draw.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=max(spread_s, min(asked_s or 0, RETRY_AFTER_S_MAX)))


SCHEDULE: Final = RetrySchedule(
    delays_s=(
        0.25,
        0.5,
        1,
        2,
        4,
        8,
        15,
        30,
        _MINUTE,
        5 * _MINUTE,
        30 * _MINUTE,
        2 * _HOUR,
        5 * _HOUR,
        10 * _HOUR,
        14 * _HOUR,
        20 * _HOUR,
        24 * _HOUR,
    ),
    rest_s_max=5 * _MINUTE,
)
"""76 hours together."""
