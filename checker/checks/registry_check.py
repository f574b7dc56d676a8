"""Decides by the registry, and keeps the decisions, in one transaction before the answer.

PostgreSQL says what holds now, whatever the cache said. A plain `allow` leaves no row. The
transaction that reads a subject also keeps every other decision and uses a counted permit.

Checks that arrive while a transaction runs share the next one, because a commit costs one write to
disk for any number of checks. No check waits for others to come. A large batch has a transaction of
its own, and works in slices within it: the event loop serves other callers between two slices
(`checker.checks.turns`). The slices of one transaction read one version.
"""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime
from itertools import compress, islice

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.changes import Position
from checker.audit.decisions import KeptDecision, log_kept, new_id
from checker.checks.in_slices import (
    SLICE_LISTED,
    TOGETHER_MAX,
    SoughtCheck,
    claim_of,
    each_of,
    find_in_slices,
    keep_each,
)
from checker.checks.judge import Judge
from checker.checks.turns import Pace, give_way, slices
from checker.database.engine import attempt, driver_errors
from checker.domain.decision import Decision
from checker.domain.standing import Standing
from checker.errors import Unavailable
from checker.group_commit import GroupCommit, group_commit
from checker.policy.book import PolicyBook
from checker.registry.permit_uses import PermitUses
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer
from checker.registry.standings import Findings
from checker.registry.versions import ListVersion
from checker.spending.spent import read_spent

CLAIM_BYTES = 16

GROUP_CHECKS_MAX = TOGETHER_MAX
"""Checks in one transaction of several callers. A larger batch has its own transaction, so that no
single check waits behind the batch.
"""

WAITING_MAX = 2_000
"""Callers that may wait in one process. Further callers get `Unavailable`."""

LARGE_AT_ONCE = 2
"""Transactions of large batches at once, of the 8 connections that all checks share."""


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions with their ids in the order of the checks, by the list of `version`.

    `kept` are the decisions that are no plain `allow`.
    """

    decisions: tuple[Decision, ...]
    ids: tuple[str, ...]
    version: ListVersion
    kept: tuple[KeptDecision, ...]


class _Share(msgspec.Struct, frozen=True, kw_only=True):
    """One caller's share of a transaction. `at` None: the position of the list does not matter."""

    checks: tuple[SoughtCheck, ...]
    at: Position | None
    now: datetime


class RegistryCheck:
    """Decides checks against the record itself."""

    def __init__(self, *, engine: AsyncEngine, sealer: Sealer, policies: PolicyBook) -> None:
        self._engine = engine
        self._sealer = sealer
        self._policies = policies
        self._judge = Judge(policies)
        self._group: GroupCommit[_Share, Confirmed | None] = group_commit(
            self._transact,
            weight=lambda share: len(share.checks),
            weight_max=GROUP_CHECKS_MAX,
            waiting_max=WAITING_MAX,
        )
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def decide(
        self,
        checks: Sequence[PreparedCheck],
        *,
        account_id: str | None,
        now: datetime,
        at: Position | None = None,
        pace: Pace = give_way,
    ) -> Confirmed | None:
        """Decide checks of one caller, and keep every decision that is no plain `allow`.

        Return None, and keep nothing, if the registry's list is not at the position `at`. `pace`
        is awaited between the slices of a large batch. Checks that share a transaction are decided
        by the latest of their instants.

        Raises:
            Unavailable: PostgreSQL does not answer, or holds no list yet; or too many wait.
        """
        share = _Share(checks=tuple([(check, account_id) for check in checks]), at=at, now=now)
        if len(share.checks) > GROUP_CHECKS_MAX:
            async with self._large:
                [confirmed] = await self._transact([share], pace)
        else:
            confirmed = await self._group.add(share)
        if confirmed is not None:
            # Not in the transaction, which serves several requests: a line belongs to its request.
            for part in slices(confirmed.kept, SLICE_LISTED):
                log_kept(part)
                if len(part) == SLICE_LISTED:
                    await pace()
        return confirmed

    async def aclose(self) -> None:
        """Stop; a caller that waits gets Unavailable."""
        await self._group.aclose()

    async def _transact(
        self, shares: Sequence[_Share], pace: Pace = give_way
    ) -> list[Confirmed | None]:
        checks = [check for share in shares for check in share.checks]

        async def work(connection: AsyncConnection) -> list[Confirmed | None]:
            findings = await find_in_slices(connection, self._sealer, checks, pace)
            if findings.version is None:
                raise Unavailable("no list has been taken in yet, so nobody can be cleared by it")
            return await self._decide(connection, shares, findings, pace)

        with driver_errors():
            return await attempt(self._engine, work)

    async def _decide(
        self,
        connection: AsyncConnection,
        shares: Sequence[_Share],
        findings: Findings,
        pace: Pace,
    ) -> list[Confirmed | None]:
        """Decide the shares that ask about this version, together; None: the other shares."""
        version = findings.version
        assert version is not None
        wanted = [share.at is None or share.at.change_id == version.change_id for share in shares]
        if not any(wanted):
            return [None] * len(shares)
        decided = list(compress(shares, wanted))
        now = max(share.now for share in decided)
        checks = [check for share in decided for check in share.checks]
        is_sought = [
            is_wanted for is_wanted, share in zip(wanted, shares, strict=True) for _ in share.checks
        ]
        standings = list(compress(findings.standings, is_sought))
        decisions = await self._decide_together(connection, checks, standings, now, pace)
        ids = [new_id() for _ in decisions]

        def kept_at(place: int) -> KeptDecision | None:
            if not decisions[place].reasons:
                return None
            check, account_id = checks[place]
            return self._judge.kept(
                check,
                standings[place],
                decisions[place],
                decision_id=ids[place],
                account_id=account_id,
                version=version,
                now=now,
            )

        kept = await keep_each(connection, range(len(decisions)), kept_at, pace)
        answers = zip(decisions, ids, kept, strict=True)
        return [
            _confirmed(list(islice(answers, len(share.checks))), version) if is_wanted else None
            for is_wanted, share in zip(wanted, shares, strict=True)
        ]

    async def _decide_together(
        self,
        connection: AsyncConnection,
        checks: Sequence[SoughtCheck],
        standings: list[Standing],
        now: datetime,
        pace: Pace,
    ) -> list[Decision]:
        def judged(place: int) -> Decision:
            return self._judge.decide(checks[place][0], standings[place], now)

        decisions = await each_of(range(len(standings)), judged, pace)
        if any(_uses_one(decision) for decision in decisions):
            await self._use_permits(connection, checks, standings, decisions, now)
        await self._fill_spending(connection, checks, standings, decisions, now, pace)
        return decisions

    async def _use_permits(
        self,
        connection: AsyncConnection,
        checks: Sequence[SoughtCheck],
        standings: list[Standing],
        decisions: list[Decision],
        now: datetime,
    ) -> None:
        """Decide again behind the lock of the counted permits, in order, and use their permits.

        A check without a reference is a sale of its own, so its claim is drawn.
        """
        places = [place for place, each in enumerate(decisions) if _uses_one(each)]
        permit_ids = {
            permit.id
            for place in places
            for permit in standings[place].permits
            if permit.is_counted
        }
        claims: dict[int, bytes] = {
            place: claim_of(self._sealer, checks[place]) or secrets.token_bytes(CLAIM_BYTES)
            for place in places
        }
        uses = await PermitUses.lock(connection, permit_ids, set(claims.values()))
        for place, claim in claims.items():
            standing = uses.left_in(standings[place], claim)
            decision = self._judge.decide(checks[place][0], standing, now)
            standings[place], decisions[place] = standing, decision
            if decision.permit is not None and decision.permit.is_counted:
                uses.claim(decision.permit, claim)
        await uses.write(connection, self._sealer.vault, now)

    async def _fill_spending(
        self,
        connection: AsyncConnection,
        checks: Sequence[SoughtCheck],
        standings: Sequence[Standing],
        decisions: list[Decision],
        now: datetime,
        pace: Pace,
    ) -> None:
        """Decide again on every capped person, by what that person has spent."""
        places = [place for place, each in enumerate(decisions) if each.spending is not None]
        if not places:
            return
        capped = []
        for place in places:
            check, _ = checks[place]
            cap = self._policies.effective(check.jurisdiction).settings.resort_cap
            assert cap is not None, "only where a cap is set is anybody capped"
            capped.append((check.subject.token, cap))
        spent = dict(zip(places, await read_spent(connection, capped, now), strict=True))

        def judged(place: int) -> Decision:
            return self._judge.decide(checks[place][0], standings[place], now, spent=spent[place])

        for place, decision in zip(places, await each_of(places, judged, pace), strict=True):
            decisions[place] = decision


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
