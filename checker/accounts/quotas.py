"""Bounds the items of a caller in a minute and in a day, over all workers and nodes.

A batch counts its items. Redis counts. While Redis is away, nothing is counted and nobody is
refused, because a quota protects the service and not a right; checks go on from the registry.
"""

from collections.abc import Sequence

import msgspec

from cache.counting.quota import MINUTE, Left, Limit, Quota
from cache.counting.quota_lease import LeasedQuota, QuotaSpent
from cache.errors import CacheUnavailable
from checker.accounts.keys import Caller
from checker.accounts.scope import DAY, SLOWED
from checker.errors import QuotaExceeded

UNLIMITED = 999_999_999_999_999
"""The largest integer of a structured header field (RFC 9651): no limit that anybody reaches."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's items in one window: the limit, the items left, and the rest of the window."""

    window: str
    limit: int
    left: int
    resets_in_ms: int


class Allowance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The items that a caller has left, by window.

    `shares` and `policy` (the limits as a list of RFC 9651) stay the same while the process spends
    one slice. In each window `at_hand` items more than in the share are left, and `waited_ms` have
    passed since the share was counted.
    """

    shares: tuple[Share, ...]
    policy: str
    at_hand: int = 0
    waited_ms: int = 0

    def left(self, share: Share) -> int:
        """Return the items left in the window of a share."""
        return share.left + self.at_hand

    def resets_in_s(self, share: Share) -> int:
        """Return the seconds until the next window begins, rounded up and never 0."""
        return (share.resets_in_ms - self.waited_ms + 999) // 1000 or 1


class Quotas:
    """Takes items from the quotas of keys and of their accounts."""

    def __init__(self, quota: Quota) -> None:
        self._quota = LeasedQuota(quota)
        # The allowance of each key's newest lefts. Lefts are one object while a slice lasts.
        self._written: dict[int, tuple[tuple[Left, ...], Allowance]] = {}

    def take_at_once(self, caller: Caller, items: int) -> Allowance | None:
        """Take `items` without a wait, as `take` does; None: `take` must ask, nothing was taken."""
        limits = caller.limits
        if not limits:
            return NO_LIMIT
        spent = self._quota.spend(caller.key_pk, items, limits)
        return None if spent is None else self._allowance(caller, limits, spent)

    async def take(self, caller: Caller, items: int) -> Allowance:
        """Take `items` from the caller's quotas, all or none, and return the items left.

        If the key and its account both have a limit in one window, the scarcer limit is returned.
        With 0 items nothing is taken and nothing raised.

        Raises:
            QuotaExceeded: fewer items are left; nothing was taken.
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
        # A caller of 0 items gets the allowance even if the limit was lowered below its use.
        if items and not spent.granted:
            raise _refusal(items, limits, spent.lefts)
        return self._allowance(caller, limits, spent)

    def _allowance(self, caller: Caller, limits: Sequence[Limit], spent: QuotaSpent) -> Allowance:
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
    """Return the error about the window that blocks; of several, the window that ends last."""
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
    """Return the allowance with the scarcest share of each window."""
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
