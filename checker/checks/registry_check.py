"""Decides by the registry, and keeps the decisions before the answer.

The list in PostgreSQL decides, whatever the cache holds. A plain `allow` leaves no row.

    1st trip   one statement reads the version of the list and the standings
    2nd trip   one statement keeps the decisions, if the list is still of this version and the
               token key still the same

The second statement is a transaction of its own, so nobody begins and nobody commits. One
transaction around all statements is needed, and costs two trips more:

- where the list has moved on between the two statements, or the token key was replaced
  (`checker.database.token_column`);
- where a decision uses a counted permit, whose lock is held until the use is committed;
- for a large batch. It works in slices, and the event loop serves other callers between two slices
  (`checker.checks.turns`). The slices of one transaction read one version.

Checks that arrive while others are decided go together, because a commit costs one write to disk
for any number of checks. No check waits for others to come.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import compress, islice

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.changes import Position
from checker.audit.decisions import KeptDecision, keep_if_newest, log_kept, new_id
from checker.checks.counted import CountedDecisions, uses_one
from checker.checks.in_slices import (
    SLICE_LISTED,
    TOGETHER_MAX,
    SoughtCheck,
    each_of,
    find_in_slices,
    keep_each,
)
from checker.checks.judge import Judge
from checker.checks.turns import Pace, give_way, slices
from checker.database.engine import attempt, driver_errors
from checker.database.pooler import has_own_sessions
from checker.database.token_column import KeyWatch
from checker.database.token_fence import TokenKeyReplaced
from checker.domain.decision import Decision
from checker.domain.standing import Standing
from checker.errors import Unavailable
from checker.group_commit import GROUPS_AT_ONCE, GroupCommit, group_commit
from checker.policy.book import PolicyBook
from checker.registry.found_document import Trace
from checker.registry.prepared_check import PreparedCheck
from checker.registry.sealing import Sealer
from checker.registry.standings import Findings
from checker.registry.versions import ListVersion

GROUP_CHECKS_MAX = TOGETHER_MAX
"""Checks in one transaction of several callers. A larger batch has its own transaction, so that no
single check waits behind the batch.
"""

WAITING_MAX = 800
"""Callers that may wait in one process: four transactions, two at a time. So the last caller waits
for two statements that take as long as they may. Further callers get `Unavailable` at once."""

LARGE_AT_ONCE = 2
"""Transactions of large batches at once."""

TRANSACTIONS_MAX = GROUPS_AT_ONCE + LARGE_AT_ONCE
"""All transactions of checks at once, each on a connection: none waits for a connection."""


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


class _NeedsTransaction(Exception):
    """Nothing is kept: the statements of this group must share one transaction."""


class RegistryCheck:
    """Decides checks against the record itself."""

    def __init__(self, *, engine: AsyncEngine, sealer: Sealer, policies: PolicyBook) -> None:
        self._engine = engine
        self._in_single_statements = (
            engine.execution_options(isolation_level="AUTOCOMMIT")
            if has_own_sessions(engine)
            else None
        )
        self._sealer = sealer
        self._judge = Judge(policies, sealer.vault)
        self._counted = CountedDecisions(self._judge, sealer, policies)
        self._group: GroupCommit[_Share, Confirmed | None] = group_commit(
            self._decide_group,
            weight=lambda share: len(share.checks),
            weight_max=GROUP_CHECKS_MAX,
            waiting_max=WAITING_MAX,
            at_once=GROUPS_AT_ONCE,
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

    async def _decide_group(self, shares: Sequence[_Share]) -> list[Confirmed | None]:
        """Decide without a transaction around the statements, or else within one."""
        in_single_statements = self._in_single_statements
        if in_single_statements is None:
            return await self._transact(shares)

        async def work(connection: AsyncConnection) -> list[Confirmed | None]:
            try:
                return await self._work(connection, shares, give_way, KeyWatch(connection))
            except TokenKeyReplaced as error:
                # The fence of a transaction makes this process use the registry's key.
                raise _NeedsTransaction from error

        try:
            with driver_errors():
                return await attempt(in_single_statements, work)
        except _NeedsTransaction:
            return await self._transact(shares)

    async def _transact(
        self, shares: Sequence[_Share], pace: Pace = give_way
    ) -> list[Confirmed | None]:
        async def work(connection: AsyncConnection) -> list[Confirmed | None]:
            return await self._work(connection, shares, pace, None)

        with driver_errors():
            return await attempt(self._engine, work)

    async def _work(
        self,
        connection: AsyncConnection,
        shares: Sequence[_Share],
        pace: Pace,
        watch: KeyWatch | None,
    ) -> list[Confirmed | None]:
        """Decide the shares. `watch` is None within a transaction, where the token key stays."""
        checks = [check for share in shares for check in share.checks]
        findings = await find_in_slices(connection, self._sealer, checks, pace)
        if findings.version is None:
            raise Unavailable("no list has been taken in yet, so nobody can be cleared by it")
        return await self._decide(connection, shares, findings, pace, watch)

    async def _decide(
        self,
        connection: AsyncConnection,
        shares: Sequence[_Share],
        findings: Findings,
        pace: Pace,
        watch: KeyWatch | None,
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
        ids = [new_id() for _ in standings]
        traces = list(compress(findings.traces, is_sought))
        together = partial(self._decide_together, traces=traces, is_transaction=watch is None)
        decisions = await together(connection, checks, standings, now, pace, ids=ids)

        def answered(place: int) -> Decision:
            check, _ = checks[place]
            return self._judge.with_alternatives(check, standings[place], decisions[place], now)

        def kept_at(place: int) -> KeptDecision | None:
            if not decisions[place].reasons:
                return None
            check, account_id = checks[place]
            return self._judge.kept(
                check,
                standings[place],
                decisions[place],
                traces=traces[place],
                decision_id=ids[place],
                account_id=account_id,
                version=version,
                now=now,
            )

        if watch is None:
            kept = await keep_each(connection, range(len(decisions)), kept_at, pace)
        else:
            kept = await each_of(range(len(decisions)), kept_at, pace)
            adverse = [each for each in kept if each is not None]
            if not await keep_if_newest(
                connection, adverse, change_id=version.change_id, token_key=watch.number
            ):
                raise _NeedsTransaction
        offered = await each_of(range(len(decisions)), answered, pace)
        answers = zip(offered, ids, kept, strict=True)
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
        *,
        ids: Sequence[str],
        traces: Sequence[Sequence[Trace]],
        is_transaction: bool,
    ) -> list[Decision]:
        def judged(place: int) -> Decision:
            return self._judge.decide(checks[place][0], standings[place], now)

        decisions = await each_of(range(len(standings)), judged, pace)
        if any(uses_one(decision) for decision in decisions):
            if not is_transaction:
                raise _NeedsTransaction
            await self._counted.use_permits(connection, checks, standings, decisions, now, ids=ids)
        await self._counted.fill_spending(
            connection, checks, standings, decisions, now, pace, traces=traces
        )
        return decisions


def _confirmed(
    answers: Sequence[tuple[Decision, str, KeptDecision | None]], version: ListVersion
) -> Confirmed:
    return Confirmed(
        decisions=tuple([decision for decision, _, _ in answers]),
        ids=tuple([decision_id for _, decision_id, _ in answers]),
        version=version,
        kept=tuple([kept for _, _, kept in answers if kept is not None]),
    )
