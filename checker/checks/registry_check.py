"""Decides by the registry, and keeps what was decided, in one transaction before the answer.

PostgreSQL says what holds now, whatever the cache said; a plain `allow` leaves nothing behind.
Every other answer is kept, and a counted permit is used, by the transaction that read them.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.breaker import Breaker
from cache.token import Token
from checker.audit.decisions import KeptDecision, keep, log_kept, new_id
from checker.checks.request import PreparedCheck
from checker.database.engine import attempt, driver_errors
from checker.domain.decision import Decision
from checker.domain.rules import decide
from checker.domain.service import type_of
from checker.domain.standing import Standing
from checker.errors import Unavailable
from checker.policy.book import PolicyBook
from checker.registry.permit_uses import PermitUses
from checker.registry.publication import ListVersion
from checker.registry.sealing import Sealer
from checker.registry.standings import Findings, Question, find_standings
from checker.spending.spent import Spent, read_spent

CLAIM_BYTES = 16

_NOTHING_SPENT = Spent()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Checks that were asked together, and all tokens under which each subject may be listed.

    `account_id` None: asked on the command line.
    """

    checks: tuple[PreparedCheck, ...]
    tokens: tuple[tuple[Token, ...], ...]
    account_id: str | None
    now: datetime

    def only(self, places: Sequence[int]) -> "Asked":
        """Give those at some places, in their order."""
        return msgspec.structs.replace(
            self,
            checks=tuple([self.checks[place] for place in places]),
            tokens=tuple([self.tokens[place] for place in places]),
        )


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions with their ids in the order of the checks, by the list of `version`."""

    decisions: tuple[Decision, ...]
    ids: tuple[str, ...]
    version: ListVersion


class RegistryCheck:
    """Decides checks against the record itself."""

    def __init__(
        self, *, engine: AsyncEngine, sealer: Sealer, policies: PolicyBook, breaker: Breaker
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._policies = policies
        self._breaker = breaker

    async def decide(self, asked: Asked, *, at_version: int | None = None) -> Confirmed | None:
        """Decide, and keep whatever is no plain `allow`.

        None: the list is no longer at `at_version`; then nothing is kept.

        Raises:
            Unavailable: PostgreSQL does not answer, or holds no list yet.
        """
        questions = [
            Question(
                document=check.document,
                tokens=tokens,
                name_token=None if check.name is None else self._sealer.name_token(check.name),
                claim=self._claim(check, asked.account_id),
            )
            for check, tokens in zip(asked.checks, asked.tokens, strict=True)
        ]

        async def work(connection: AsyncConnection) -> Confirmed | None:
            findings = await find_standings(connection, self._sealer.vault, questions)
            if findings.version is None:
                raise Unavailable("no list has been taken in yet, so nobody can be cleared by it")
            if at_version not in {None, findings.version.version}:
                return None
            return await self._decide(connection, asked, questions, findings)

        if not self._breaker.allows():
            raise Unavailable("the registry could not be reached a moment ago")
        try:
            with driver_errors():
                confirmed = await attempt(self._engine, work)
        except Unavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return confirmed

    async def _decide(
        self,
        connection: AsyncConnection,
        asked: Asked,
        questions: Sequence[Question],
        findings: Findings,
    ) -> Confirmed:
        assert findings.version is not None
        standings = list(findings.standings)
        decisions = [
            self._judge(check, standing, asked.now)
            for check, standing in zip(asked.checks, standings, strict=True)
        ]
        if any(_uses_one(decision) for decision in decisions):
            await self._use_permits(connection, asked, questions, standings, decisions)
        await self._fill_spending(connection, asked, standings, decisions)
        ids = tuple([new_id() for _ in decisions])
        kept = [
            KeptDecision.of(
                decision,
                self._judge(check, standing.with_all_shown(), asked.now),
                id=decision_id,
                at=asked.now,
                account_id=asked.account_id,
                service=type_of(check.service),
                jurisdiction=check.jurisdiction,
                policy=self._policies.effective(check.jurisdiction),
                list_version=findings.version.version,
            )
            for check, standing, decision, decision_id in zip(
                asked.checks, standings, decisions, ids, strict=True
            )
            if decision.reasons
        ]
        if kept:
            await keep(connection, kept)
            await connection.commit()
            log_kept(kept)
        return Confirmed(decisions=tuple(decisions), ids=ids, version=findings.version)

    async def _use_permits(
        self,
        connection: AsyncConnection,
        asked: Asked,
        questions: Sequence[Question],
        standings: list[Standing],
        decisions: list[Decision],
    ) -> None:
        """Decide again behind the lock of the counted permits, in order, and use what lifts."""
        places = [place for place, each in enumerate(decisions) if _uses_one(each)]
        permit_ids = {
            permit.id
            for place in places
            for permit in standings[place].permits
            if permit.is_counted
        }
        claims = {place: questions[place].claim or b"" for place in places}
        uses = await PermitUses.lock(connection, permit_ids, set(claims.values()))
        for place, claim in claims.items():
            standing = uses.left_in(standings[place], claim)
            decision = self._judge(asked.checks[place], standing, asked.now)
            standings[place], decisions[place] = standing, decision
            if decision.permit is not None and decision.permit.is_counted:
                uses.claim(decision.permit, claim)
        await uses.write(connection, asked.now)

    async def _fill_spending(
        self,
        connection: AsyncConnection,
        asked: Asked,
        standings: Sequence[Standing],
        decisions: list[Decision],
    ) -> None:
        """Decide again on whoever is capped, by what they have spent."""
        places = [place for place, each in enumerate(decisions) if each.spending is not None]
        if not places:
            return
        capped = []
        for place in places:
            cap = self._policies.effective(asked.checks[place].jurisdiction).settings.resort_cap
            assert cap is not None, "only where a cap is set is anybody capped"
            capped.append((asked.tokens[place][0], cap))
        spent = await read_spent(connection, capped, asked.now)
        for place, each in zip(places, spent, strict=True):
            decisions[place] = self._judge(
                asked.checks[place], standings[place], asked.now, spent=each
            )

    def _judge(
        self,
        check: PreparedCheck,
        standing: Standing,
        now: datetime,
        *,
        spent: Spent = _NOTHING_SPENT,
    ) -> Decision:
        return decide(
            standing,
            check.service,
            policy=self._policies.effective(check.jurisdiction),
            now=now,
            held_fen=spent.held_fen,
            captured_fen=spent.captured_fen,
        )

    def _claim(self, check: PreparedCheck, account_id: str | None) -> bytes:
        """Tell one sale from another: the same order of the same account is the same sale."""
        if check.reference is None:
            return secrets.token_bytes(CLAIM_BYTES)
        return self._sealer.sale_token(account_id, check.reference, check.service)


def _uses_one(decision: Decision) -> bool:
    """Whether the decision rests on a permit whose uses are counted."""
    return decision.permit is not None and decision.permit.is_counted
