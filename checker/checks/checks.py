"""The path of a check: this node's replica, then the cache, and before a refusal the registry.

    service: no measure can restrict it here ────────────────→ allow, and nobody is looked up
    token of each document, and tokens of masked numbers where the list may hold their shape
             replica, under its lease: proven absent ────────→ allow
                └─ maybe, or no lease → cache: proven absent → allow
                     └─ outline → rules: nothing applies ────→ allow
                                    └─ something applies ─→ registry → rules → kept → the answer
                     └─ cache away, incomplete, unvouched ─→ registry → rules → kept → the answer
                                                               └─ away too → Unavailable, no allow

A service that cannot be restricted needs a list in force, and no token of the subject. So the
answer takes equally long for everybody.

A batch takes the same path in slices (`checker.checks.turns`), and its answer is of one version.
A table in `tests/integration/checks/test_checks_in_outages.py` shows the result of each outage.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress
from typing import NamedTuple, Protocol

import msgspec

from cache.changes import Position
from cache.replica_keeper import Absence, ReplicaKeeper
from cache.store import StandingCache
from cache.token import Token
from checker.audit.decisions import BatchIds, new_id
from checker.checks.answer import ListState, ListStates
from checker.checks.in_slices import SLICE_CHECKS, each_of
from checker.checks.registry_check import RegistryCheck
from checker.checks.subject_lookup import SubjectLookup
from checker.checks.turns import Pace, give_way
from checker.domain.clock import Clock
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.rules import decide
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.registry.outline import decode_outline
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions and their ids in the order of the checks, all on one version of the list.

    `from_registry` is the number of checks that the registry decided. `maybes` has the places of
    the subjects that the filter did not rule out, whatever the decision became. Without a lease
    the filter is not asked, and the subjects that the cache holds are the maybes.
    """

    decisions: tuple[Decision, ...]
    ids: Sequence[str]
    list: ListState
    from_registry: int
    maybes: frozenset[int] = frozenset()

    def maybe_tokens(self, checks: Sequence[PreparedCheck]) -> Iterator[Token]:
        """Return the tokens of the maybes, one for each; `checks` are the checks in their order."""
        return (checks[place].subject.token for place in self.maybes)


class DecidedAtOnce(NamedTuple):
    """The decision on one check by this node alone, its id, and the list that it is of."""

    decision: Decision
    id: str
    list: ListState


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

    def decide_at_once(self, check: PreparedCheck, now: datetime) -> DecidedAtOnce | None:
        """See `Checks.decide_at_once`."""
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
        sealer: Sealer,
        policies: PolicyBook,
        clock: Clock,
        stale_after_ms: int,
        report_incomplete: Callable[[], None],
    ) -> None:
        self._subjects = SubjectLookup(
            replica=replica,
            cache=cache,
            sealer=sealer,
            policies=policies,
            report_incomplete=report_incomplete,
        )
        self._registry = registry
        self._policies = policies
        self._clock = clock
        self._states = ListStates(stale_after_ms)

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
            absence = await self._subjects.ask_about_batch(checks, pace)
        else:
            absence = self._subjects.ask_together(checks)
        if absence is not None and not absence.maybes:
            return self._all_allowed(checks, absence.position, now)
        return await self._decide_maybes(checks, absence, account_id, now, pace)

    async def _decide_maybes(
        self,
        checks: Sequence[PreparedCheck],
        absence: Absence | None,
        account_id: str | None,
        now: datetime,
        pace: Pace,
    ) -> Decided:
        """Decide checks that the replica does not allow all; `absence` None: it holds no lease."""
        every_place: Sequence[int] = range(len(checks))
        places = every_place if absence is None else absence.maybes
        maybes = set() if absence is None else set(places)
        found = await self._subjects.lookup(checks, places, pace)
        if found is not None and absence is not None and found.position != absence.position:
            # One answer is of one list, and the replica ruled subjects out by another list.
            found = await self._subjects.lookup(checks, every_place, pace)
        if found is None:
            decided = await self._ask_registry(checks, account_id, now, pace)
        else:
            maybes.update(found.listed)
            suspected = await self._suspected(checks, found.listed, now, pace)
            if not suspected:
                decided = self._all_allowed(checks, found.position, now)
            elif len(suspected) == len(checks):
                decided = await self._ask_registry(checks, account_id, now, pace)
            else:
                decided = await self._confirm(
                    checks, suspected, account_id, found.position, now, pace
                )
        return msgspec.structs.replace(decided, maybes=frozenset(maybes))

    def decide_at_once(self, check: PreparedCheck, now: datetime) -> DecidedAtOnce | None:
        """Decide one check without a wait; None: only `decide` can, by asking others."""
        position = self._subjects.proves_absent(check)
        if position is None:
            return None
        return DecidedAtOnce(ALLOWED, new_id(), self._states.at(position, now))

    async def _suspected(
        self,
        checks: Sequence[PreparedCheck],
        listed: Mapping[int, Sequence[bytes]],
        now: datetime,
        pace: Pace,
    ) -> list[int]:
        """Return the places of the listed subjects whose outlines do not clear them."""

        def may_be_adverse(place: int) -> bool:
            return self._may_be_adverse(checks[place], decode_outline(listed[place]), now)

        places = list(listed)
        return list(compress(places, await each_of(places, may_be_adverse, pace)))

    def _may_be_adverse(
        self, check: PreparedCheck, outline: Standing | None, now: datetime
    ) -> bool:
        if outline is None or check.subject.is_unknowable:
            return True
        policy = self._policies.effective(check.jurisdiction)
        decision = decide(
            outline,
            check.service,
            policy=policy,
            now=now,
            to_organization=check.subject.is_organization,
        )
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
