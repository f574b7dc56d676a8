"""The path of a check: this node's replica, then the cache, and before a refusal the registry.

    tokens → replica, under its lease: proven absent ────────→ allow
                └─ maybe, or no lease → cache: proven absent → allow
                     └─ outline → rules: nothing applies ────→ allow
                                    └─ something applies ─→ registry → rules → kept → the answer
                     └─ cache away, incomplete, unvouched ─→ registry → rules → kept → the answer
                                                               └─ away too → Unavailable, no allow

A batch takes the same path in slices (`checker.checks.turns`), and its answer is of one version.
A table in `tests/integration/checks/test_checks_in_outages.py` shows the result of each outage.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from cache.changes import Position
from cache.errors import CacheIncomplete, CacheUnavailable, CacheUnvouched
from cache.replica_keeper import ReplicaKeeper
from cache.store import Lookup, StandingCache
from cache.token import Token
from checker.audit.decisions import BatchIds, new_id
from checker.checks.answer import ListState, ListStates
from checker.checks.in_slices import SLICE_CHECKS, SLICE_LISTED, ask_replica
from checker.checks.prepared_batch import PreparedBatch
from checker.checks.registry_check import RegistryCheck
from checker.checks.turns import Pace, give_way
from checker.domain.clock import Clock
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.rules import decide
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.registry.outline import decode_outline
from checker.registry.prepared_check import PreparedCheck


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions and their ids in the order of the checks, all on one version of the list.

    `from_registry` is the number of checks that the registry decided.
    """

    decisions: tuple[Decision, ...]
    ids: Sequence[str]
    list: ListState
    from_registry: int


class Deciding(Protocol):
    """Decides checks: `Checks`, or a wrapper that traces `Checks`."""

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

    `Checks` calls `report_incomplete` when a part of the cache is missing.
    """

    def __init__(
        self,
        *,
        replica: ReplicaKeeper,
        cache: StandingCache,
        registry: RegistryCheck,
        policies: PolicyBook,
        clock: Clock,
        stale_after_ms: int,
        report_incomplete: Callable[[], None],
    ) -> None:
        self._replica = replica
        self._cache = cache
        self._registry = registry
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
        """Decide checks of one caller together; `account_id` None: on the command line.

        `pace` is awaited between the slices of a batch.

        Raises:
            Unavailable: nothing can vouch for the list, so nothing is allowed.
        """
        now = self._clock.now()
        if len(checks) > SLICE_CHECKS:
            absence = await ask_replica(self._replica, _flat(checks), pace)
        else:
            absence = self._replica.ask(_flat(checks))
        if absence is not None and not absence.maybes:
            return self._all_allowed(checks, absence.position, now)
        places: Sequence[int] = range(len(checks))
        if absence is not None:
            places = _places(checks, absence.maybes)
        lookup = await self._lookup([checks[place] for place in places])
        if lookup is not None and absence is not None and lookup.position != absence.position:
            # One answer is of one list, and the replica ruled subjects out by another list.
            places = range(len(checks))
            lookup = await self._lookup(checks)
        if lookup is None:
            return await self._ask_registry(checks, account_id, now, pace)
        suspected = await self._suspected(checks, places, lookup, now, pace)
        if not suspected:
            return self._all_allowed(checks, lookup.position, now)
        if len(suspected) == len(checks):
            return await self._ask_registry(checks, account_id, now, pace)
        return await self._confirm(checks, suspected, account_id, lookup.position, now, pace)

    async def _lookup(self, checks: Sequence[PreparedCheck]) -> Lookup | None:
        """Look all tokens up. Return None if the cache is away, or cannot be believed."""
        try:
            return await self._cache.lookup(_flat(checks))
        except (CacheUnavailable, CacheUnvouched):
            return None
        except CacheIncomplete:
            self._report_incomplete()
            return None

    async def _suspected(
        self,
        checks: Sequence[PreparedCheck],
        places: Sequence[int],
        lookup: Lookup,
        now: datetime,
        pace: Pace,
    ) -> list[int]:
        """Return the places of the checks that their outlines do not clear, of those looked up."""
        suspected = []
        start = 0
        judged = 0
        for place in places:
            stop = start + len(checks[place].subject.tokens)
            outlines = [value for value in lookup.values[start:stop] if value is not None]
            start = stop
            if not outlines:
                continue
            judged += 1
            if judged % SLICE_LISTED == 0:
                await pace()
            if self._may_be_adverse(checks[place], decode_outline(outlines), now):
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
        self,
        checks: Sequence[PreparedCheck],
        suspected: Sequence[int],
        account_id: str | None,
        position: Position,
        now: datetime,
        pace: Pace,
    ) -> Decided:
        """Ask the registry about the suspected subjects, and allow the others.

        If the list has moved on since the lookup, the registry is asked about all checks: one
        answer is of one version.
        """
        confirmed = await self._registry.decide(
            [checks[place] for place in suspected],
            account_id=account_id,
            now=now,
            at=position,
            pace=pace,
        )
        if confirmed is None:
            return await self._ask_registry(checks, account_id, now, pace)
        decisions = [ALLOWED] * len(checks)
        # A plain `allow` has an id like all others, so the id does not show who was suspected.
        kept = {}
        for place, decision, decision_id in zip(
            suspected, confirmed.decisions, confirmed.ids, strict=True
        ):
            decisions[place] = decision
            if decision.reasons:
                kept[place] = decision_id
        return Decided(
            decisions=tuple(decisions),
            ids=BatchIds(len(checks), kept),
            list=self._states.at(position, now),
            from_registry=len(suspected),
        )

    async def _ask_registry(
        self, checks: Sequence[PreparedCheck], account_id: str | None, now: datetime, pace: Pace
    ) -> Decided:
        confirmed = await self._registry.decide(checks, account_id=account_id, now=now, pace=pace)
        assert confirmed is not None, "asked of no position"
        return Decided(
            decisions=confirmed.decisions,
            ids=confirmed.ids,
            list=self._states.at(confirmed.version.position, now),
            from_registry=len(checks),
        )

    def _all_allowed(
        self, checks: Sequence[PreparedCheck], position: Position, now: datetime
    ) -> Decided:
        ids: Sequence[str] = (new_id(),) if len(checks) == 1 else BatchIds(len(checks))
        return Decided(
            decisions=(ALLOWED,) * len(checks),
            ids=ids,
            list=self._states.at(position, now),
            from_registry=0,
        )


def _flat(checks: Sequence[PreparedCheck]) -> Sequence[Token]:
    if len(checks) == 1:
        return checks[0].subject.tokens
    if isinstance(checks, PreparedBatch):
        return checks.tokens.flat
    return [token for check in checks for token in check.subject.tokens]


def _places(checks: Sequence[PreparedCheck], maybes: Sequence[int]) -> Sequence[int]:
    """Return the places of the checks that hold a token with one of these indices.

    All tokens of such a check are looked up, so that the answer about one subject is of one list.
    """
    if len(checks) == 1:
        return (0,)
    if isinstance(checks, PreparedBatch):
        return checks.tokens.places_of(maybes)
    wanted = set(maybes)
    places = []
    start = 0
    for place, check in enumerate(checks):
        stop = start + len(check.subject.tokens)
        if not wanted.isdisjoint(range(start, stop)):
            places.append(place)
        start = stop
    return places
