"""The way of a check: cache first, rules on what it holds, the registry before anything adverse.

    tokens → cache: proven absent ───────────────────────────→ allow
                └─ outline → rules: nothing applies ─────────→ allow
                                └─ something applies ─→ registry → rules → the answer
                └─ cache away, incomplete or behind ──→ registry → rules → the answer
                                                            └─ away too → Unavailable, never allow

What each outage leads to is a table in `tests/unit/checks`.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.breaker import Breaker
from cache.errors import CacheIncomplete, CacheUnavailable
from cache.generation import Generation
from cache.store import Lookup, StandingCache
from cache.token import Token
from checker.checks.answer import ListState, list_state
from checker.checks.request import PreparedCheck
from checker.domain.clock import Clock
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.rules import decide
from checker.domain.standing import Standing
from checker.errors import Unavailable
from checker.policy.book import PolicyBook
from checker.registry.outline import decode_outline
from checker.registry.publisher import Publisher
from checker.registry.sealing import Sealer
from checker.registry.standings import Findings, Question, find_standings


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions in the order of the checks, all of them on one version of the list.

    `from_registry` counts those for which the registry was asked.
    """

    decisions: tuple[Decision, ...]
    list: ListState
    from_registry: int


class Checks:
    """Decides checks against one deployment's list."""

    def __init__(
        self,
        *,
        cache: StandingCache,
        engine: AsyncEngine,
        sealer: Sealer,
        publisher: Publisher,
        policies: PolicyBook,
        clock: Clock,
        registry_breaker: Breaker,
        stale_after_ms: int,
    ) -> None:
        self._cache = cache
        self._engine = engine
        self._sealer = sealer
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._registry_breaker = registry_breaker
        self._stale_after_ms = stale_after_ms

    async def decide(self, checks: Sequence[PreparedCheck]) -> Decided:
        """Decide checks together.

        Raises:
            Unavailable: the list cannot be vouched for, so nothing is allowed.
        """
        now = self._clock.now()
        tokens = [self._sealer.tokens_of(check.document, check.name) for check in checks]
        lookup = await self._lookup(tokens)
        if lookup is None:
            return await self._ask_registry(checks, tokens, now)
        generation = lookup.generation
        suspected = self._suspected(checks, tokens, lookup, now) if lookup.maybes else []
        if not suspected:
            state = self._state(generation.version, generation.as_of_ms, now)
            return Decided(decisions=(ALLOWED,) * len(checks), list=state, from_registry=0)
        return await self._confirm(checks, tokens, suspected, generation, now)

    async def _lookup(self, tokens: list[tuple[Token, ...]]) -> Lookup | None:
        """Look all tokens up; None: the cache cannot be asked, or cannot be believed."""
        flat = tokens[0] if len(tokens) == 1 else [token for each in tokens for token in each]
        try:
            lookup = await self._cache.lookup(flat)
        except CacheUnavailable:
            return None
        except CacheIncomplete:
            self._publisher.report_incomplete()
            return None
        return lookup if self._publisher.is_current(lookup.generation) else None

    def _suspected(
        self,
        checks: Sequence[PreparedCheck],
        tokens: list[tuple[Token, ...]],
        lookup: Lookup,
        now: datetime,
    ) -> list[int]:
        """Find the checks that their outline does not clear."""
        suspected = []
        start = 0
        for place, check in enumerate(checks):
            found = lookup.values[start : start + len(tokens[place])]
            start += len(tokens[place])
            outlines = [value for value in found if value is not None]
            if outlines and self._may_be_adverse(check, decode_outline(outlines), now):
                suspected.append(place)
        return suspected

    def _may_be_adverse(
        self, check: PreparedCheck, outline: Standing | None, now: datetime
    ) -> bool:
        return outline is None or self._decide(check, outline, now).outcome is not Outcome.ALLOW

    async def _confirm(
        self,
        checks: Sequence[PreparedCheck],
        tokens: list[tuple[Token, ...]],
        suspected: list[int],
        generation: Generation,
        now: datetime,
    ) -> Decided:
        """Ask the registry about whom the outlines do not clear, and the rest with them if the
        list has moved on in between: one answer speaks of one version.
        """
        confirmed = await self._ask_registry(
            [checks[place] for place in suspected], [tokens[place] for place in suspected], now
        )
        if confirmed.list.version != generation.version and len(suspected) < len(checks):
            return await self._ask_registry(checks, tokens, now)
        decisions = [ALLOWED] * len(checks)
        for place, decision in zip(suspected, confirmed.decisions, strict=True):
            decisions[place] = decision
        return Decided(
            decisions=tuple(decisions), list=confirmed.list, from_registry=len(suspected)
        )

    async def _ask_registry(
        self,
        checks: Sequence[PreparedCheck],
        tokens: list[tuple[Token, ...]],
        now: datetime,
    ) -> Decided:
        questions = [
            Question(
                document=check.document,
                tokens=each,
                name_token=None if check.name is None else self._sealer.name_token(check.name),
            )
            for check, each in zip(checks, tokens, strict=True)
        ]
        findings = await self._find(questions)
        if findings.version is None:
            raise Unavailable("no list has been taken in yet, so nobody can be cleared by it")
        decisions = (
            self._decide(check, standing, now)
            for check, standing in zip(checks, findings.standings, strict=True)
        )
        return Decided(
            decisions=tuple(decisions),
            list=self._state(findings.version.version, findings.version.at_ms, now),
            from_registry=len(checks),
        )

    async def _find(self, questions: Sequence[Question]) -> Findings:
        """Ask PostgreSQL, unless it failed a moment ago: nobody waits out a time-out in line."""
        if not self._registry_breaker.allows():
            raise Unavailable("the registry could not be reached a moment ago")
        try:
            findings = await find_standings(self._engine, self._sealer.vault, questions)
        except Unavailable:
            self._registry_breaker.failed()
            raise
        self._registry_breaker.succeeded()
        return findings

    def _decide(self, check: PreparedCheck, standing: Standing, now: datetime) -> Decision:
        policy = self._policies.effective(check.jurisdiction)
        return decide(standing, check.service, policy=policy, now=now)

    def _state(self, version: int, as_of_ms: int, now: datetime) -> ListState:
        return list_state(version, as_of_ms, now, self._stale_after_ms)
