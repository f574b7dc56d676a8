"""Looks up the entries of the person who asks, so that nothing but the answer shows what is listed.

A person is found by the name and the whole number together. "Not on the list" and "on the list
under another name" take one path, whose steps do not depend on the list:

    1. the lease of this node             no trip; a short wait where a new generation is loaded
    2. the counts of address and number   one trip to Redis
    3. the standing, by all tokens        one statement to PostgreSQL
    4. the answer is made of the standing, and waits for the next beat (`seconds_to_beat`)

The filter and the cache are not asked: a "maybe" of the filter would cost another trip, and its
time would show which numbers the filter knows. The last step hides the microseconds in which a
found row is opened, its name is compared, and its link is dropped.

This file must not know HTTP. Nothing of a look-up is logged or kept but the counts.
"""

import asyncio
from datetime import date
from time import perf_counter
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from cache.replica_keeper import ReplicaKeeper
from checker.accounts.senders import Senders
from checker.errors import Unavailable
from checker.policy.book import PolicyBook
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import Sealer
from checker.registry.standings import find_standings
from checker.web.self_check.own_result import OwnResult, own_result

AT_ONCE: Final = 2
"""Look-ups of one process at once, of the 8 connections that checks share: checks go first."""

WAITING_MAX: Final = 40
"""Look-ups that may wait in one process. Further ones get `Unavailable`."""

BEAT_S: Final = 0.25
"""An answer leaves at a multiple of this time after the question. A look-up takes some 6 ms."""

LEASE_WAIT_S: Final = 2.0
"""A node that loads another generation has no lease for about a second."""


class OwnEntries:
    """Looks people up for themselves, on one node. `lease_wait_s` is the wait for a lease."""

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        sealer: Sealer,
        replica: ReplicaKeeper,
        senders: Senders,
        policies: PolicyBook,
        lease_wait_s: float = LEASE_WAIT_S,
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._replica = replica
        self._senders = senders
        self._policies = policies
        self._lease_wait_s = lease_wait_s
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._under_way = 0

    async def find(self, subject: PreparedSubject, address: str, today: date) -> OwnResult:
        """Return the answer to a subject with a name, for a caller at `address`, on `today`.

        Raises, the first of:
            Unavailable: too many look-ups wait, or this node has no lease.
            QuotaExceeded: the address or the document has used up its look-ups.
            Unavailable: Redis or PostgreSQL is away, or there is no list.
        """
        assert subject.name is not None, "a number alone finds nobody here"
        began = perf_counter()
        if self._under_way >= AT_ONCE + WAITING_MAX:
            raise Unavailable("so many people look themselves up that this one has to wait")
        self._under_way += 1
        try:
            await self._wait_for_lease()
            await self._senders.look_up(address, subject.token.hex())
            async with self._turn:
                found = await find_standings(self._engine, self._sealer, [subject])
        finally:
            self._under_way -= 1
        if found.version is None:
            raise Unavailable("there is no list yet")
        result = own_result(
            found.standings[0], self._policies, today, is_organization=subject.is_organization
        )
        await asyncio.sleep(seconds_to_beat(perf_counter() - began))
        return result

    async def _wait_for_lease(self) -> None:
        left_s = self._lease_wait_s
        while not self._replica.holds_lease:
            if left_s <= 0:
                raise Unavailable("this node cannot vouch for the list now")
            await asyncio.sleep(BEAT_S)
            left_s -= BEAT_S


def seconds_to_beat(elapsed_s: float) -> float:
    """Return the time from `elapsed_s` to the next multiple of `BEAT_S`, in seconds."""
    return BEAT_S - elapsed_s % BEAT_S
