"""Watches for accounts that fish (`checker.domain.fishing`), and stores no subject of a check.

A check adds one to a number in memory. The token of a person who was looked up waits in memory for
a second, because the answer was adverse, or took longer than an answer about others. Then both go
to Redis. Redis keeps numbers, and counts distinct tokens instead of the tokens
(`cache.counting.tally`). The filter rules most persons out. Such a person adds "one item" and
nothing else.

The watch flags an account that seems to fish in PostgreSQL. Every node then also counts the items
of this account against a low limit (`checker.accounts.key_ring`), until the slowing ends or an
operator clears the flag. Counts are lost while Redis is away: the watch is not a record.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from cache.counting.tally import GroupTally, Noted, TallyCounts
from checker.accounts.flags import Flags
from checker.accounts.keys import Caller
from checker.domain.clock import Clock
from checker.domain.fishing import AskedCounts, FishingGround, FishingSettings, suspect
from checker.work import Work

FLUSH_INTERVAL_S = 1.0
PERSONS_MAX = 20_000
"""Persons of one account in one second. No worker gives more adverse answers."""

ACCOUNTS_AT_ONCE = 200
"""Accounts in one command to Redis, which serves nobody else meanwhile."""

AGAIN_AFTER = timedelta(seconds=30)
"""An account that was just judged is not looked up in PostgreSQL every second."""

_log = logging.getLogger(__name__)


class _Since:
    """The counts of one account since the last flush."""

    __slots__ = ("items", "kind", "mismatches", "persons")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.items = 0
        self.mismatches = 0
        self.persons: set[bytes] = set()


class FishingWatch:
    """The counts of one process, and the flags that follow from all counts."""

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
        """Note that `items` of this account were answered."""
        since = self._since.get(caller.account_id)
        if since is None:
            since = self._since[caller.account_id] = _Since(caller.kind)
        since.items += items

    def adverse(self, caller: Caller, token: bytes, *, mismatched: bool) -> None:
        """Note an adverse answer about a person. `mismatched`: the name did not match."""
        since = self._since.get(caller.account_id)
        if since is None:
            since = self._since[caller.account_id] = _Since(caller.kind)
        since.mismatches += mismatched
        if len(since.persons) < PERSONS_MAX:
            since.persons.add(token)

    def looked_up(self, caller: Caller, tokens: Iterable[bytes]) -> None:
        """Note persons who had to be looked up, whatever the answers were.

        A look-up takes time, so the caller may learn from it that the person is perhaps listed.
        """
        for token in tokens:
            self.adverse(caller, token, mismatched=False)

    def work(self, report: Callable[[FishingGround], None]) -> Work:
        """Flush, again and again. The counts of a failed flush are lost."""

        async def flush() -> None:
            await self.flush(report)

        return Work(name="watching for accounts that fish", every_s=FLUSH_INTERVAL_S, do=flush)

    async def flush(self, report: Callable[[FishingGround], None]) -> None:
        """Add the noted counts in Redis, and flag accounts that seem to fish: one round of work.

        `report` is called with the ground of each new flag.

        Raises:
            CacheUnavailable: Redis is away; the noted counts are lost.
            Unavailable: PostgreSQL is away; an account that goes on fishing is flagged later.
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
                await self._judge(one.name, counts, report)

    async def _judge(
        self, account_id: str, counts: TallyCounts, report: Callable[[FishingGround], None]
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
            report(suspicion.ground)


def _asked(counts: TallyCounts) -> tuple[AskedCounts, AskedCounts]:
    """Return the counts of an account, and those of all other accounts of its kind."""
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
