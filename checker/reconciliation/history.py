"""Judges past sales by the list as it was when each sale was made.

| fact | as of |
|---|---|
| listings and permits of the subject | the version of the list at the instant of the sale |
| uses of a permit | the instant of the sale |
| days and permits | held against the instant of the sale |
| measures and amounts | now |
| spending under a cap | not looked up: `cap` means that a cap would have bound the subject |

Nearly all subjects stand in no version of the list at all. One question about a whole batch finds
them, so only the other subjects need a look into the past.
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
from checker.registry.standings import Question, find_standings


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A sale, and the answer that it would have had. `list_version` is None if there was no list
    yet.
    """

    sale: PreparedSale
    decision: Decision
    list_version: int | None

    @property
    def is_adverse(self) -> bool:
        """Whether the sale would not have been a plain `allow`."""
        return self.decision.outcome is not Outcome.ALLOW


class History:
    """The list as it was."""

    def __init__(self, sealer: Sealer, policies: PolicyBook) -> None:
        self._sealer = sealer
        self._policies = policies

    async def judge(
        self, connection: AsyncConnection, sales: Sequence[PreparedSale], account_id: str
    ) -> list[Judged]:
        """Return the judgements of sales of one account, in the order of the sales."""
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
            judged = await self._judge_then(connection, asked, version)
            for place, decision in zip(places, judged, strict=True):
                decisions[place] = decision
        return [
            Judged(sale=sale, decision=decision, list_version=versions.get(sale.sold_at))
            for sale, decision in zip(sales, decisions, strict=True)
        ]

    async def _judge_then(
        self,
        connection: AsyncConnection,
        asked: Sequence[tuple[PreparedSale, Question]],
        version: int,
    ) -> list[Decision]:
        """Judge sales by one version of the list.

        The uses of a permit depend on the instant, not on the version. So each subject with a
        counted permit is asked about alone.
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

    def _question(self, sale: PreparedSale, account_id: str) -> Question:
        """Return the question that the check of the sale would have asked; a sale's own use of a
        permit does not count against it.
        """
        check = sale.check
        claim = None
        if check.reference is not None:
            claim = self._sealer.sale_token(account_id, check.reference, check.service)
        return Question(
            document=check.document,
            tokens=self._sealer.tokens_of(check.document, check.name),
            name_token=None if check.name is None else self._sealer.name_token(check.name),
            claim=claim,
        )


async def _versions_at(connection: AsyncConnection, instants: set[datetime]) -> dict[datetime, int]:
    """Return the version of the list at each instant. Instants before the first version are left
    out.
    """
    rows = await connection.execute(_VERSIONS, {"instants": sorted(instants)})
    return {row.instant: row.version for row in rows if row.version is not None}


async def _ever_listed(connection: AsyncConnection, tokens: set[Token]) -> set[Token]:
    """Return the tokens that any version of the list may reach, in any way."""
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
