"""Takes corrections in.

A listed person has no key, so anybody may file. Filings without a key are bounded:

| bound | by |
|---|---|
| filings an hour, and a day about one listing | the sender (`checker.accounts.senders`) |
| filings that wait in one process | the sender, and the way |
| open filings about one listing or one decision | the listing or decision |
| filings an hour | the way |

There are three ways: with a key, by a decision's id, and by a listing's id. The id of a listing can
be guessed and the id of a decision cannot. Each way has a queue and a count of its own, so a flood
on one way delays nobody on another. Filings with a key are not counted.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import uuid4

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.corrections import rows
from checker.corrections.correction import Correction, GroundCode, is_late, ruling_due
from checker.corrections.journaled import CONTACT, GROUND
from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.domain.clock import Clock, shanghai_day
from checker.domain.deadlines import Deadlines
from checker.errors import NotFound, QuotaExceeded
from checker.group_commit import GroupCommit, group_commit
from checker.registry.sealing import Sealer

WAITING_MAX: Final = 50
"""Filings of one way that may wait in one process. Filings of one way are taken in one at a time.
"""

WAITING_OF_SENDER_MAX: Final = 5
"""Filings of one sender without a key that may wait in one process."""

_WINDOW: Final = timedelta(hours=1)
_DAY_S: Final = 86_400


class Way(StrEnum):
    """How a correction is filed; each way has a queue of its own."""

    KEY = "key"
    DECISION = "decision"
    LISTING = "listing"


CountFiling: TypeAlias = Callable[[str, str], Awaitable[None]]
"""Counts a new filing of a sender about an id; raises QuotaExceeded, or Unavailable."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of all senders without a key together.

    `hourly_max` holds for each of the two ways: at most some 100 MB a day of the longest texts, and
    more than any town needs. `open_max` holds for one listing or one decision: a company has
    several officers, and each may file.
    """

    hourly_max: int = 600
    open_max: int = 20


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a correction. Exactly one of the two ids is set.

    `account_id` is None without a key; `sender` is then the address of the caller, or None if the
    filing comes from no network. `sees_all`: the account may know of every listing and decision.
    """

    listing_id: str | None
    decision_id: str | None
    ground: str
    contact: str
    account_id: str | None
    ground_code: GroundCode | None = None
    sees_all: bool = False
    sender: str | None = None

    @property
    def way(self) -> Way:
        """Return the way of the filing."""
        if self.account_id is not None:
            return Way.KEY
        return Way.LISTING if self.decision_id is None else Way.DECISION


class CorrectionIntake:
    """Takes in the filings of one process, one at a time for each way."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        clock: Clock,
        deadlines: Deadlines,
        limits: Limits,
        count: CountFiling,
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._clock = clock
        self._deadlines = deadlines
        self._limits = limits
        self._count = count
        # One connection for each way at most: a flood of filings takes none from the checks.
        self._turns: dict[Way, GroupCommit[Filing, Correction]] = {
            way: group_commit(self._take, weight=lambda _: 1, weight_max=1, waiting_max=WAITING_MAX)
            for way in Way
        }
        self._waiting: Counter[str] = Counter()

    async def take(self, filing: Filing) -> Correction:
        """Take a correction in, and return it. While it is open, the same words again give the same
        correction.

        Raises, the first of:
            NotFound: there is no such listing or decision, or the filer may not know of it.
            QuotaExceeded: too many were filed without a key, or too many of one sender wait.
            Unavailable: the registry cannot be reached, or too many filings wait.
        """
        turns = self._turns[filing.way]
        if filing.account_id is not None or filing.sender is None:
            return await turns.add(filing)
        if self._waiting[filing.sender] >= WAITING_OF_SENDER_MAX:
            text = "so many corrections from this address wait already"
            raise QuotaExceeded(text, retry_after_s=1)
        self._waiting[filing.sender] += 1
        try:
            return await turns.add(filing)
        finally:
            self._waiting -= Counter((filing.sender,))  # drops counts of 0

    async def aclose(self) -> None:
        """Stop; a filing that is not taken in yet never is."""
        for turns in self._turns.values():
            await turns.aclose()

    async def _take(self, filings: Sequence[Filing]) -> list[Correction]:
        with driver_errors():
            async with self._engine.begin() as connection:
                await hold_to_commit(connection, Lock.CORRECTIONS)
                return [await self._take_one(connection, filing) for filing in filings]

    async def _take_one(self, connection: AsyncConnection, filing: Filing) -> Correction:
        now = self._clock.now()
        listings, learnt_on = await self._concerned(connection, filing, shanghai_day(now))
        decision_id = filing.decision_id and rows.canonical(filing.decision_id)
        words = [filing.account_id, filing.listing_id, decision_id, filing.ground, filing.contact]
        if filing.ground_code is not None:
            words.append(filing.ground_code)
        request = self._sealer.request_digest(["correction", *words])
        known = await rows.find_request(connection, request)
        if known is not None:
            return known
        ids = tuple(each.id for each in listings)
        if filing.account_id is None:
            await self._bound(connection, decision_id, ids, now)
            if filing.sender is not None:
                await self._count(filing.sender, decision_id or ids[0])
        due = ruling_due(shanghai_day(now), self._deadlines)
        seal, correction_id = self._sealer.vault.seal, str(uuid4())
        row: dict[str, Any] = {
            "id": correction_id,
            "request": request,
            "received_at": now,
            "received_on": shanghai_day(now),
            "due_on": due.on,
            "due_basis": due.basis,
            "provisional": due.provisional,
            "late": is_late(shanghai_day(now), learnt_on),
            "account_id": filing.account_id,
            "decision_id": decision_id,
            "ground_code": filing.ground_code,
            "ground": seal(filing.ground, GROUND, correction_id),
            "contact": seal(filing.contact, CONTACT, correction_id),
        }
        await rows.write(connection, self._sealer.vault, row, ids)
        written = await rows.find(connection, correction_id)
        assert written is not None, "it was written in this transaction"
        return written

    async def _concerned(
        self, connection: AsyncConnection, filing: Filing, today: date
    ) -> tuple[list[rows.LatestListing], list[date | None]]:
        """Return the listings of a filing, and the days on which the person may have learnt it.

        Raises NotFound with one text for every reason, so that nobody learns what exists.
        """
        if filing.decision_id is not None:
            found = await rows.find_decision(connection, filing.decision_id)
            if found is not None and found.listing_ids and self._may_know(filing, found):
                listings = await rows.find_listings(connection, found.listing_ids)
                days = [each.published_on for each in listings]
                return listings, [*days, shanghai_day(found.at)]
        elif filing.listing_id is not None and "\0" not in filing.listing_id:
            listings = await rows.find_listings(connection, [filing.listing_id])
            if listings and (filing.sees_all or _is_shown(listings[0], today)):
                return listings, [listings[0].published_on]
        raise NotFound("there is no such listing or decision to correct")

    def _may_know(self, filing: Filing, found: rows.DecisionRow) -> bool:
        """Return whether the filer may know of a decision. Without a key its id is the proof."""
        is_own = filing.account_id in {None, found.account_id}
        return is_own or filing.sees_all

    async def _bound(
        self,
        connection: AsyncConnection,
        decision_id: str | None,
        listing_ids: Sequence[str],
        now: datetime,
    ) -> None:
        by_decision = decision_id is not None
        if await rows.keyless_about(connection, decision_id, listing_ids) >= self._limits.open_max:
            text = "so many corrections of this are open that their rulings are waited for"
            raise QuotaExceeded(text, retry_after_s=_DAY_S)
        counted, first_at = await rows.keyless_since(
            connection, now - _WINDOW, by_decision=by_decision
        )
        if counted >= self._limits.hourly_max:
            assert first_at is not None, "something was counted"
            wait = (first_at + _WINDOW - now).total_seconds()
            text = "too many corrections were filed without a key in the last hour"
            raise QuotaExceeded(text, retry_after_s=max(1, round(wait)))


def _is_shown(listing: rows.LatestListing, today: date) -> bool:
    """Return whether everybody may know of this listing."""
    is_published = listing.published_on is None or listing.published_on <= today
    return listing.public and is_published
