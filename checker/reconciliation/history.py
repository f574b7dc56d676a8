"""Judges past sales by the list as it was when each was made.

Of each line the version of the list at its instant is found, and the standing that this version
gave, permits among it, with what had been used of them by then; days and permits are held against
the instant of the sale. Measures and amounts are those of now, and of what had been spent under a
cap nothing is reckoned: `cap` says that one would have held.

Nearly all subjects stand in no version of the list at all. One question about a whole batch finds
those, so that the past is asked for the others alone.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ARRAY, DateTime, LargeBinary, any_, bindparam, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.rules import decide
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.reconciliation.past_sale import PreparedSale
from checker.registry.schema import bound_document, change, document
from checker.registry.sealing import Sealer
from checker.registry.standings import StandingQuestion, find_standings


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A sale, and what would have been answered; `list_version` None: there was no list yet."""

    sale: PreparedSale
    decision: Decision
    list_version: int | None

    @property
    def is_adverse(self) -> bool:
        """Whether it would not simply have been allowed."""
        return self.decision.outcome is not Outcome.ALLOW


class History:
    """The list as it was."""

    def __init__(self, sealer: Sealer, policies: PolicyBook) -> None:
        self._sealer = sealer
        self._policies = policies

    async def judge(
        self, connection: AsyncConnection, sales: Sequence[PreparedSale], account_id: str
    ) -> list[Judged]:
        """Judge sales of one account, in their order."""
        versions = await _versions_at(connection, {sale.sold_at for sale in sales})
        questions = [self._question(sale, account_id) for sale in sales]
        known = await _ever_listed(connection, {each for one in questions for each in one.tokens})
        decisions = [ALLOWED] * len(sales)
        suspected: dict[int, list[int]] = {}
        for place, (sale, question) in enumerate(zip(sales, questions, strict=True)):
            version = versions.get(sale.sold_at)
            if version is not None and not known.isdisjoint(question.tokens):
                suspected.setdefault(version, []).append(place)
        for version, places in suspected.items():
            asked = [(sales[place], questions[place]) for place in places]
            told = await self._judge_then(connection, asked, version)
            for place, decision in zip(places, told, strict=True):
                decisions[place] = decision
        return [
            Judged(sale=sale, decision=decision, list_version=versions.get(sale.sold_at))
            for sale, decision in zip(sales, decisions, strict=True)
        ]

    async def _judge_then(
        self,
        connection: AsyncConnection,
        asked: Sequence[tuple[PreparedSale, StandingQuestion]],
        version: int,
    ) -> list[Decision]:
        """Judge sales by one version of the list.

        What had been used of a permit is a matter of the instant, not of the version; so whoever
        has a counted one is asked about alone.
        """
        vault = self._sealer.vault
        questions = [question for _, question in asked]
        findings = await find_standings(connection, vault, questions, version=version)
        standings = list(findings.standings)
        for place, (sale, question) in enumerate(asked):
            if any(permit.is_counted for permit in standings[place].permits):
                then = await find_standings(
                    connection, vault, [question], version=version, used_until=sale.sold_at
                )
                [standings[place]] = then.standings
        return [
            self._decide(sale, standing)
            for (sale, _), standing in zip(asked, standings, strict=True)
        ]

    def _decide(self, sale: PreparedSale, standing: Standing) -> Decision:
        policy = self._policies.effective(sale.check.jurisdiction)
        return decide(standing, sale.check.service, policy=policy, now=sale.sold_at)

    def _question(self, sale: PreparedSale, account_id: str) -> StandingQuestion:
        """Ask as the check of the sale would have: what it has used of a permit is its own."""
        check = sale.check
        claim = None
        if check.reference is not None:
            claim = self._sealer.sale_token(account_id, check.reference, check.service)
        return StandingQuestion(
            document=check.document,
            tokens=self._sealer.tokens_of(check.document, check.name),
            name_token=None if check.name is None else self._sealer.name_token(check.name),
            claim=claim,
        )


async def _versions_at(connection: AsyncConnection, instants: set[datetime]) -> dict[datetime, int]:
    """Give the version of the list at each instant; before the first one there is none."""
    rows = await connection.execute(_VERSIONS, {"instants": sorted(instants)})
    return {row.instant: row.version for row in rows if row.version is not None}


async def _ever_listed(connection: AsyncConnection, tokens: set[Token]) -> set[Token]:
    """Give those of some tokens that any version of the list may reach, by whatever way."""
    rows = await connection.execute(_KNOWN, {"tokens": list(tokens)})
    return {Token(token) for token in rows.scalars()}


_asked = select(
    func.unnest(bindparam("instants", type_=ARRAY(DateTime(timezone=True)))).label("instant")
).cte("asked")
# By the index of instants: the instants of changes follow their versions, but for what the clocks
# of nodes differ.
_then = (
    select(change.c.version)
    .where(change.c.at <= _asked.c.instant)
    .order_by(change.c.at.desc(), change.c.version.desc())
    .limit(1)
)
_VERSIONS = select(_asked.c.instant, _then.scalar_subquery().label("version"))
_wanted = any_(bindparam("tokens", type_=ARRAY(LargeBinary)))
_KNOWN = union(
    *(select(table.c.token).where(table.c.token == _wanted) for table in (document, bound_document))
)
