"""Watches for accounts that fish (`checker.domain.fishing`), without keeping whom anybody asked.

A check adds one to a number in memory. Of adverse answers the person's token waits there too, for a
second; then both go to Redis, which keeps numbers, and of tokens only how many distinct ones there
were (`cache.counting.tally`). Of an innocent no more than "one item" is ever noted, here or there.

An account that seems to fish is flagged in PostgreSQL; every node then counts its items against a
low limit more (`checker.accounts.key_ring`), until that ends or an operator clears the flag. What
could not be counted while Redis was away is lost: this is a watch, not a record.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cache.counting.tally import GroupTally, Noted, TallyCounts
from checker.accounts.flags import Flags
from checker.accounts.keys import Caller
from checker.domain.clock import Clock
from checker.domain.fishing import AskedCounts, FishingGround, FishingSettings, suspect
from checker.work import Work

FLUSH_INTERVAL_S = 1.0
PERSONS_MAX = 20_000
"""Of one account in one second: more adverse answers no worker gives."""

ACCOUNTS_AT_ONCE = 200
"""In one trip to Redis, which serves nobody else meanwhile."""

AGAIN_AFTER = timedelta(seconds=30)
"""Who was just flagged is not looked up in PostgreSQL each second."""

_log = logging.getLogger(__name__)


class _Since:
    """What an account has asked since the last flush."""

    __slots__ = ("items", "kind", "mismatches", "persons")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.items = 0
        self.mismatches = 0
        self.persons: set[bytes] = set()


class FishingWatch:
    """What one process has seen asked; `told` is called with the ground of each flag it raises."""

    def __init__(
        self, *, tally: GroupTally, flags: Flags, settings: FishingSettings, clock: Clock
    ) -> None:
        self._tally = tally
        self._flags = flags
        self._settings = settings
        self._clock = clock
        self._since: dict[str, _Since] = {}
        self._judged: dict[str, datetime] = {}

    def asked(self, caller: Caller, items: int) -> None:
        """Note that so many items were answered."""
        since = self._since.get(caller.account_id)
        if since is None:
            since = self._since[caller.account_id] = _Since(caller.kind)
        since.items += items

    def adverse(self, caller: Caller, token: bytes, *, mismatched: bool) -> None:
        """Note that the answer about one person, by token, was adverse; and why, if by the name."""
        since = self._since.get(caller.account_id)
        if since is None:
            since = self._since[caller.account_id] = _Since(caller.kind)
        since.mismatches += mismatched
        if len(since.persons) < PERSONS_MAX:
            since.persons.add(token)

    def work(self, told: Callable[[FishingGround], None]) -> Work:
        """Flush, again and again; notes of a flush that failed are left behind."""

        async def flush() -> None:
            await self.flush(told)

        return Work(name="watching for accounts that fish", every_s=FLUSH_INTERVAL_S, do=flush)

    async def flush(self, told: Callable[[FishingGround], None]) -> None:
        """Count what was noted, and flag who seems to fish.

        Raises:
            CacheUnavailable: Redis is away; what was noted is lost.
            Unavailable: PostgreSQL is away; who fishes on is flagged later.
        """
        since, self._since = self._since, {}
        noted = [
            Noted(
                name=account_id,
                group=one.kind,
                items=one.items,
                hits=one.mismatches,
                elements=tuple(one.persons),
            )
            for account_id, one in since.items()
        ]
        for start in range(0, len(noted), ACCOUNTS_AT_ONCE):
            some = noted[start : start + ACCOUNTS_AT_ONCE]
            counted = await self._tally.add(some, regular_from=self._settings.kind_items_min)
            for one, counts in zip(some, counted, strict=True):
                await self._judge(one.name, counts, told)

    async def _judge(
        self, account_id: str, counts: TallyCounts, told: Callable[[FishingGround], None]
    ) -> None:
        own, others = _asked(counts)
        suspicion = suspect(own, others, self._settings)
        if suspicion is None:
            return
        now = self._clock.now()
        judged = self._judged.get(account_id)
        if judged is not None and now - judged < AGAIN_AFTER:
            return
        flagged = await self._flags.flag(
            account_id,
            suspicion,
            counted_from=datetime.fromtimestamp(counts.start, UTC),
            slowed=timedelta(minutes=self._settings.slowed_minutes),
        )
        self._judged[account_id] = now
        if flagged:
            _log.warning("account %s seems to fish: %s", account_id, suspicion.ground)
            told(suspicion.ground)


def _asked(counts: TallyCounts) -> tuple[AskedCounts, AskedCounts]:
    """Tell an account from the others of its kind."""
    own, group = counts.own, counts.group
    return (
        AskedCounts(items=own.items, adverse_persons=own.distinct, mismatches=own.hits),
        AskedCounts(
            items=group.items - own.items,
            adverse_persons=group.distinct - own.distinct,
            mismatches=group.hits - own.hits,
            accounts=group.regular - own.regular,
        ),
    )
