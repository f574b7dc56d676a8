"""The way of a check: the node's own replica first, then the cache, before a refusal the registry.

    tokens → replica, under its lease: proven absent ────────→ allow
                └─ maybe, or no lease → cache: proven absent → allow
                     └─ outline → rules: nothing applies ────→ allow
                                    └─ something applies ─→ registry → rules → kept → the answer
                     └─ cache away, incomplete, unvouched ─→ registry → rules → kept → the answer
                                                               └─ away too → Unavailable, no allow

A batch goes the same way in slices (`checker.checks.turns`), and its answer is of one version.
What each outage leads to is a table in `tests/integration/checks/test_checks_in_outages.py`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from cache.changes import Position
from cache.errors import CacheIncomplete, CacheUnavailable, CacheUnvouched
from cache.store import Lookup, StandingCache
from cache.token import Token
from checker.audit.decisions import new_id
from checker.checks.answer import ListState, ListStates
from checker.checks.asked import Asked
from checker.checks.in_slices import (
    SLICE_CHECKS,
    SLICE_LISTED,
    Asking,
    ask_replica,
    make_ids,
    make_tokens,
)
from checker.checks.registry_check import RegistryCheck
from checker.checks.request import PreparedCheck
from checker.checks.turns import Pace, give_way
from checker.domain.clock import Clock
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.rules import decide
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.registry.outline import decode_outline
from checker.registry.sealing import Sealer


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions and their ids in the order of the checks, all of them on one version of the list.

    `from_registry` counts those for which the registry was asked.
    """

    decisions: tuple[Decision, ...]
    ids: tuple[str, ...]
    list: ListState
    from_registry: int


class Deciding(Protocol):
    """What decides checks: `Checks`, or what looks on while it does."""

    async def decide(
        self,
        checks: Sequence[PreparedCheck],
        *,
        account_id: str | None,
        pace: Pace = give_way,
    ) -> Decided:
        """See `Checks.decide`."""
        ...


class Checks:
    """Decides checks against one deployment's list.

    `report_incomplete` is called when a part of the cache is found missing.
    """

    def __init__(
        self,
        *,
        replica: Asking,
        cache: StandingCache,
        registry: RegistryCheck,
        sealer: Sealer,
        policies: PolicyBook,
        clock: Clock,
        stale_after_ms: int,
        report_incomplete: Callable[[], None],
    ) -> None:
        self._replica = replica
        self._cache = cache
        self._registry = registry
        self._sealer = sealer
        self._policies = policies
        self._clock = clock
        self._states = ListStates(stale_after_ms)
        self._report_incomplete = report_incomplete

    async def decide(
        self,
        checks: Sequence[PreparedCheck],
        *,
        account_id: str | None,
        pace: Pace = give_way,
    ) -> Decided:
        """Decide checks together; `account_id` None: asked on the command line.

        `pace` is awaited between the slices of a batch.

        Raises:
            Unavailable: the list cannot be vouched for, so nothing is allowed.
        """
        is_batch = len(checks) > SLICE_CHECKS
        asked = Asked(
            checks=tuple(checks),
            tokens=await make_tokens(self._sealer, checks, pace)
            if is_batch
            else tuple([self._sealer.tokens_of(each.document, each.name) for each in checks]),
            account_id=account_id,
            now=self._clock.now(),
        )
        if is_batch:
            absence = await ask_replica(self._replica, asked.tokens, pace)
        else:
            absence = self._replica.ask(_flat(asked.tokens))
        if absence is not None and not absence.maybes:
            ids = await make_ids(len(checks), pace) if is_batch else None
            return self._all_allowed(asked, absence.position, ids)
        places: Sequence[int] = range(len(checks))
        if absence is not None:
            places = _places(asked.tokens, absence.maybes)
        lookup = await self._lookup([asked.tokens[place] for place in places])
        if lookup is not None and absence is not None and lookup.position != absence.position:
            # One answer speaks of one list: what the replica ruled out, it did so on another one.
            places = range(len(checks))
            lookup = await self._lookup(asked.tokens)
        if lookup is None:
            return await self._ask_registry(asked, pace)
        suspected = await self._suspected(asked, places, lookup, pace)
        if not suspected:
            ids = await make_ids(len(checks), pace)
            return self._all_allowed(asked, lookup.position, ids)
        return await self._confirm(asked, suspected, lookup.position, pace)

    async def _lookup(self, tokens: Sequence[tuple[Token, ...]]) -> Lookup | None:
        """Look all tokens up; None: the cache cannot be asked, or cannot be believed."""
        try:
            return await self._cache.lookup(_flat(tokens))
        except (CacheUnavailable, CacheUnvouched):
            return None
        except CacheIncomplete:
            self._report_incomplete()
            return None

    async def _suspected(
        self, asked: Asked, places: Sequence[int], lookup: Lookup, pace: Pace
    ) -> list[int]:
        """Find the checks, among those at `places`, that their outline does not clear."""
        suspected = []
        start = 0
        judged = 0
        for place in places:
            stop = start + len(asked.tokens[place])
            outlines = [value for value in lookup.values[start:stop] if value is not None]
            start = stop
            if not outlines:
                continue
            judged += 1
            if judged % SLICE_LISTED == 0:
                await pace()
            if self._may_be_adverse(asked.checks[place], decode_outline(outlines), asked.now):
                suspected.append(place)
        return suspected

    def _may_be_adverse(
        self, check: PreparedCheck, outline: Standing | None, now: datetime
    ) -> bool:
        if outline is None:
            return True
        policy = self._policies.effective(check.jurisdiction)
        decision = decide(outline, check.service, policy=policy, now=now)
        return decision.outcome is not Outcome.ALLOW

    async def _confirm(
        self, asked: Asked, suspected: list[int], position: Position, pace: Pace
    ) -> Decided:
        """Ask the registry about whom the outlines do not clear, and the rest with them if the
        list has moved on since: one answer speaks of one version.
        """
        if len(suspected) == len(asked.checks):
            return await self._ask_registry(asked, pace)
        confirmed = await self._registry.decide(asked.only(suspected), at=position, pace=pace)
        if confirmed is None:
            return await self._ask_registry(asked, pace)
        decisions = [ALLOWED] * len(asked.checks)
        ids = list(await make_ids(len(asked.checks), pace))
        for place, decision, decision_id in zip(
            suspected, confirmed.decisions, confirmed.ids, strict=True
        ):
            decisions[place], ids[place] = decision, decision_id
        return Decided(
            decisions=tuple(decisions),
            ids=tuple(ids),
            list=self._state(position, asked.now),
            from_registry=len(suspected),
        )

    async def _ask_registry(self, asked: Asked, pace: Pace) -> Decided:
        confirmed = await self._registry.decide(asked, pace=pace)
        assert confirmed is not None, "whatever the version is"
        return Decided(
            decisions=confirmed.decisions,
            ids=confirmed.ids,
            list=self._state(confirmed.version.position, asked.now),
            from_registry=len(asked.checks),
        )

    def _all_allowed(
        self, asked: Asked, position: Position, ids: tuple[str, ...] | None
    ) -> Decided:
        return Decided(
            decisions=(ALLOWED,) * len(asked.checks),
            ids=ids or tuple([new_id() for _ in asked.checks]),
            list=self._state(position, asked.now),
            from_registry=0,
        )

    def _state(self, position: Position, now: datetime) -> ListState:
        return self._states.at(position, now)


def _flat(tokens: Sequence[tuple[Token, ...]]) -> Sequence[Token]:
    return tokens[0] if len(tokens) == 1 else [token for each in tokens for token in each]


def _places(tokens: Sequence[tuple[Token, ...]], maybes: Sequence[int]) -> Sequence[int]:
    """Give the checks that hold the tokens of these indices: all their tokens are looked up, so
    that what is said of one subject is of one list.
    """
    if len(tokens) == 1:
        return (0,)
    wanted = set(maybes)
    places = []
    start = 0
    for place, each in enumerate(tokens):
        if not wanted.isdisjoint(range(start, start + len(each))):
            places.append(place)
        start += len(each)
    return places
