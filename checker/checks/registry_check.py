"""Decides by the registry, and keeps what was decided, in one transaction before the answer.

PostgreSQL says what holds now, whatever the cache said; a plain `allow` leaves nothing behind.
Every other answer is kept, and a counted permit is used, by the transaction that read them. What is
asked while one transaction is under way shares the next: a commit costs a write to disk, whatever
is in it. Nobody waits for company, and large batches go by themselves.

A large batch works in slices, also within its transaction: the event loop serves other callers
between two slices (`checker.checks.turns`). The slices of one transaction read one version.
"""

import asyncio
import secrets
from collections.abc import Sequence
from itertools import compress, islice

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.changes import Position
from checker.audit.decisions import KeptDecision, log_kept, new_id
from checker.checks.asked import Asked, Confirmed, Item, Together
from checker.checks.in_slices import (
    SLICE_CHECKS,
    SLICE_LISTED,
    TOGETHER_MAX,
    each_of,
    find_in_slices,
    keep_each,
)
from checker.checks.judge import Judge
from checker.checks.request import PreparedCheck
from checker.checks.turns import Pace, give_way, slices
from checker.database.engine import attempt, driver_errors
from checker.database.group_commit import GroupCommit
from checker.domain.decision import Decision
from checker.domain.standing import Standing
from checker.errors import Unavailable
from checker.policy.book import PolicyBook
from checker.registry.permit_uses import PermitUses
from checker.registry.sealing import Sealer
from checker.registry.standings import Findings, StandingQuestion
from checker.registry.versions import ListVersion
from checker.spending.spent import read_spent

CLAIM_BYTES = 16

GROUP_CHECKS_MAX = TOGETHER_MAX
"""Checks in one transaction of several callers; a batch of more has one of its own, so that no
single check waits behind it."""

WAITING_MAX = 2_000
"""Callers that may wait in one process; more are told to come back."""

LARGE_AT_ONCE = 2
"""Transactions of large batches at once, of the 8 connections that all checks share."""


class RegistryCheck:
    """Decides checks against the record itself."""

    def __init__(self, *, engine: AsyncEngine, sealer: Sealer, policies: PolicyBook) -> None:
        self._engine = engine
        self._sealer = sealer
        self._policies = policies
        self._judge = Judge(policies)
        self._group: GroupCommit[Item, Confirmed | None] = GroupCommit(
            self._transact,
            weight=lambda item: len(item.questions),
            weight_max=GROUP_CHECKS_MAX,
            waiting_max=WAITING_MAX,
        )
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def decide(
        self, asked: Asked, *, at: Position | None = None, pace: Pace = give_way
    ) -> Confirmed | None:
        """Decide, and keep every decision that is no plain `allow`.

        None: the registry's list is not at the position `at`; then nothing is kept. `pace` is
        awaited between the slices of a large batch.

        Raises:
            Unavailable: PostgreSQL does not answer, or holds no list yet; or too many wait.
        """
        questions = await self._questions(asked, pace)
        item = Item(asked=asked, questions=questions, at=at)
        if len(item.questions) > GROUP_CHECKS_MAX:
            async with self._large:
                [confirmed] = await self._transact([item], pace)
        else:
            confirmed = await self._group.add(item)
        if confirmed is not None:
            # Here and not by the transaction, which is of many: a line belongs to its request.
            for part in slices(confirmed.kept, SLICE_LISTED):
                log_kept(part)
                if len(part) == SLICE_LISTED:
                    await pace()
        return confirmed

    async def aclose(self) -> None:
        """Stop; whoever waits is cancelled."""
        await self._group.aclose()

    async def _questions(self, asked: Asked, pace: Pace) -> tuple[StandingQuestion, ...]:
        def question_at(place: int) -> StandingQuestion:
            check = asked.checks[place]
            return StandingQuestion(
                document=check.document,
                tokens=asked.tokens[place],
                name_token=None if check.name is None else self._sealer.name_token(check.name),
                claim=self._claim(check, asked.account_id),
            )

        places = range(len(asked.checks))
        return tuple(await each_of(places, question_at, pace, size=SLICE_CHECKS))

    async def _transact(
        self, items: Sequence[Item], pace: Pace = give_way
    ) -> list[Confirmed | None]:
        questions = [question for item in items for question in item.questions]

        async def work(connection: AsyncConnection) -> list[Confirmed | None]:
            findings = await find_in_slices(connection, self._sealer, questions, pace)
            if findings.version is None:
                raise Unavailable("no list has been taken in yet, so nobody can be cleared by it")
            return await self._decide(connection, items, findings, pace)

        with driver_errors():
            return await attempt(self._engine, work)

    async def _decide(
        self,
        connection: AsyncConnection,
        items: Sequence[Item],
        findings: Findings,
        pace: Pace,
    ) -> list[Confirmed | None]:
        """Decide those items that are asked of this version, together; None: the others."""
        version = findings.version
        assert version is not None
        wanted = [item.at is None or item.at.change_id == version.change_id for item in items]
        if not any(wanted):
            return [None] * len(items)
        asked_of = [
            is_wanted for is_wanted, item in zip(wanted, items, strict=True) for _ in item.questions
        ]
        together = Together.of(list(compress(items, wanted)))
        standings = list(compress(findings.standings, asked_of))
        decisions = await self._decide_together(connection, together, standings, pace)
        ids = [new_id() for _ in decisions]

        def kept_at(place: int) -> KeptDecision | None:
            if not decisions[place].reasons:
                return None
            return self._judge.kept(
                together,
                place,
                standings[place],
                decisions[place],
                decision_id=ids[place],
                version=version,
            )

        kept = await keep_each(connection, range(len(decisions)), kept_at, pace)
        answers = zip(decisions, ids, kept, strict=True)
        return [
            _confirmed(list(islice(answers, len(item.questions))), version) if is_wanted else None
            for is_wanted, item in zip(wanted, items, strict=True)
        ]

    async def _decide_together(
        self,
        connection: AsyncConnection,
        together: Together,
        standings: list[Standing],
        pace: Pace,
    ) -> list[Decision]:
        def judged(place: int) -> Decision:
            return self._judge.decide(together.checks[place], standings[place], together.now)

        decisions = await each_of(range(len(standings)), judged, pace)
        if any(_uses_one(decision) for decision in decisions):
            await self._use_permits(connection, together, standings, decisions)
        await self._fill_spending(connection, together, standings, decisions, pace)
        return decisions

    async def _use_permits(
        self,
        connection: AsyncConnection,
        together: Together,
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
        claims = {place: together.questions[place].claim or b"" for place in places}
        uses = await PermitUses.lock(connection, permit_ids, set(claims.values()))
        for place, claim in claims.items():
            standing = uses.left_in(standings[place], claim)
            decision = self._judge.decide(together.checks[place], standing, together.now)
            standings[place], decisions[place] = standing, decision
            if decision.permit is not None and decision.permit.is_counted:
                uses.claim(decision.permit, claim)
        await uses.write(connection, self._sealer.vault, together.now)

    async def _fill_spending(
        self,
        connection: AsyncConnection,
        together: Together,
        standings: Sequence[Standing],
        decisions: list[Decision],
        pace: Pace,
    ) -> None:
        """Decide again on every capped person, by what that person has spent."""
        places = [place for place, each in enumerate(decisions) if each.spending is not None]
        if not places:
            return
        capped = []
        for place in places:
            place_policy = self._policies.effective(together.checks[place].jurisdiction)
            cap = place_policy.settings.resort_cap
            assert cap is not None, "only where a cap is set is anybody capped"
            capped.append((together.questions[place].tokens[0], cap))
        spent = dict(zip(places, await read_spent(connection, capped, together.now), strict=True))

        def judged(place: int) -> Decision:
            check, standing = together.checks[place], standings[place]
            return self._judge.decide(check, standing, together.now, spent=spent[place])

        for place, decision in zip(places, await each_of(places, judged, pace), strict=True):
            decisions[place] = decision

    def _claim(self, check: PreparedCheck, account_id: str | None) -> bytes:
        """Tell one sale from another: the same order of the same account is the same sale."""
        if check.reference is None:
            return secrets.token_bytes(CLAIM_BYTES)
        return self._sealer.sale_token(account_id, check.reference, check.service)


def _confirmed(
    answers: Sequence[tuple[Decision, str, KeptDecision | None]], version: ListVersion
) -> Confirmed:
    return Confirmed(
        decisions=tuple([decision for decision, _, _ in answers]),
        ids=tuple([decision_id for _, decision_id, _ in answers]),
        version=version,
        kept=tuple([kept for _, _, kept in answers if kept is not None]),
    )


def _uses_one(decision: Decision) -> bool:
    """Whether the decision rests on a permit whose uses are counted."""
    return decision.permit is not None and decision.permit.is_counted
