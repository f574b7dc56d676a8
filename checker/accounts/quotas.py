"""How many items a caller may ask about in a minute and in a day, over all workers and nodes.

A batch counts its items. Redis counts; while it is away nothing is counted and nobody refused: a
quota protects the service, not a right, and checks go on from the registry.
"""

from collections.abc import Sequence

import msgspec

from cache.counting.quota import MINUTE, Left, Limit, Quota
from cache.counting.quota_lease import LeasedQuota
from cache.errors import CacheUnavailable
from checker.accounts.keys import Caller
from checker.accounts.scope import DAY, SLOWED
from checker.errors import QuotaExceeded

UNLIMITED = 999_999_999_999_999
"""The largest integer of a structured header field (RFC 9651): no limit that anybody reaches."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many items a caller has in a window, how many were left, and for how long that holds."""

    window: str
    limit: int
    left: int
    resets_in_ms: int


class Allowance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a caller has left: of each window `at_hand` more than the share says, `waited_ms` on.

    A struct of its own for what changes from check to check: the shares, and the text of the limits
    behind them (a list of RFC 9651), stay the same for as long as a slice is spent.
    """

    shares: tuple[Share, ...]
    policy: str
    at_hand: int = 0
    waited_ms: int = 0

    def left(self, share: Share) -> int:
        """How many items are left of a share."""
        return share.left + self.at_hand

    def resets_in_s(self, share: Share) -> int:
        """For how many seconds, rounded up and never 0: by then the next window has begun."""
        return (share.resets_in_ms - self.waited_ms + 999) // 1000 or 1


class Quotas:
    """Takes items from the quotas of keys and of their accounts."""

    def __init__(self, quota: Quota) -> None:
        self._quota = LeasedQuota(quota)
        # What was written of each key's latest lefts; they are one object while a slice lasts.
        self._written: dict[int, tuple[tuple[Left, ...], Allowance]] = {}

    async def take(self, caller: Caller, items: int) -> Allowance:
        """Take `items` from what the caller has left, all or none; tell what is left by window.

        Where the key and its account both have a limit in one window, the scarcer one is told.

        Raises:
            QuotaExceeded: not so many are left; nothing was taken.
        """
        limits = caller.limits
        if not limits:
            return NO_LIMIT
        try:
            spent = self._quota.spend(caller.key_pk, items, limits)
            if spent is None:
                spent = await self._quota.take(caller.key_pk, items, limits)
        except CacheUnavailable:
            return _allowance([_whole(limit) for limit in limits])
        # Whoever asks nothing is told what is left, also where the limit was lowered below it.
        if items and not spent.granted:
            raise _refusal(items, limits, spent.lefts)
        written = self._written.get(caller.key_pk)
        if written is None or written[0] is not spent.lefts:
            written = spent.lefts, _allowance(list(map(_share, limits, spent.lefts)))
            self._written[caller.key_pk] = written
        return Allowance(
            shares=written[1].shares,
            policy=written[1].policy,
            at_hand=spent.at_hand,
            waited_ms=spent.waited_ms,
        )


def _share(limit: Limit, left: Left) -> Share:
    return Share(
        window=limit.window.name,
        limit=limit.items,
        left=left.items,
        resets_in_ms=left.resets_in_ms,
    )


def _whole(limit: Limit) -> Share:
    return Share(
        window=limit.window.name,
        limit=limit.items,
        left=limit.items,
        resets_in_ms=limit.window.length_s * 1000,
    )


def _refusal(items: int, limits: Sequence[Limit], lefts: Sequence[Left]) -> QuotaExceeded:
    """Tell of the window that blocks; of several, the one that ends last."""
    counted = _allowance(list(map(_share, limits, lefts)))
    blocking = [share for share in counted.shares if share.left < items]
    assert blocking, "refused for one of them"
    worst = max(blocking, key=lambda share: share.resets_in_ms)
    text = f"{items} items asked, {worst.left} of {worst.limit} a {worst.window} left"
    if worst.window == SLOWED.name:
        text = (
            f"{items} items asked, {worst.left} of {worst.limit} a minute left: so many persons "
            "with adverse answers, or names that do not match, are not usual; ask your operator"
        )
    return QuotaExceeded(
        text,
        retry_after_s=counted.resets_in_s(worst),
    )


def _allowance(shares: Sequence[Share]) -> Allowance:
    """Put together what is told: of each window the scarcest share."""
    scarcest: dict[str, Share] = {}
    for share in shares:
        known = scarcest.get(share.window)
        if known is None or (share.left, share.limit) < (known.left, known.limit):
            scarcest[share.window] = share
    policy = [
        f'"{share.window}";q={share.limit};w={LENGTHS_S[share.window]}'
        for share in scarcest.values()
    ]
    return Allowance(shares=tuple(scarcest.values()), policy=", ".join(policy))


LENGTHS_S = {window.name: window.length_s for window in (MINUTE, DAY, SLOWED)}
NO_LIMIT = _allowance([_whole(Limit(name="", items=UNLIMITED, window=MINUTE))])
