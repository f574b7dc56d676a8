"""How many items a key may ask about in a minute, over all workers and nodes.

A batch counts its items. Redis counts; while it is away nothing is counted and nobody refused: a
quota protects the service, not a right, and checks go on from the registry.
"""

import msgspec

from cache.errors import CacheUnavailable
from cache.quota import WINDOW_S, Quota
from checker.accounts.keys import Caller
from checker.errors import QuotaExceeded

UNLIMITED = 999_999_999_999_999
"""The largest integer of a structured header field (RFC 9651): no limit that anybody reaches."""


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """How many items a minute a caller has, how many are left, and for how many seconds."""

    limit: int
    left: int
    resets_in_s: int


NO_LIMIT = Allowance(limit=UNLIMITED, left=UNLIMITED, resets_in_s=WINDOW_S)


class Quotas:
    """Takes items from the quotas of keys."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota

    async def take(self, caller: Caller, items: int) -> Allowance:
        """Take `items` from what the caller has left, all or none.

        Raises:
            QuotaExceeded: not so many are left; nothing was taken.
        """
        limit = caller.items_per_minute
        if not limit:
            return NO_LIMIT
        try:
            taken = await self._quota.take(str(caller.key_pk), items, limit)
        except CacheUnavailable:
            return Allowance(limit=limit, left=limit, resets_in_s=WINDOW_S)
        allowance = Allowance(limit=limit, left=taken.left, resets_in_s=taken.resets_in_s)
        # Whoever asks nothing is told what is left, also where the limit was lowered below it.
        if items and not taken.granted:
            raise QuotaExceeded(
                f"{items} items asked, {taken.left} of {limit} a minute left",
                retry_after_s=taken.resets_in_s,
            )
        return allowance
