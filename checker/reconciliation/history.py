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
from sqlalchemy import ARRAY, DateTime, any_, bindparam, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.checks.in_slices import claim_of
from checker.database.token_column import TokenColumn
from checker.domain.decision import ALLOWED, Decision, Outcome
from checker.domain.rules import decide
from checker.domain.standing import Standing
from checker.policy.book import PolicyBook
from checker.reconciliation.past_sale import PreparedSale
from checker.registry.schema import bound_document, change, document
from checker.registry.sealing import Sealer
from checker.registry.standings import find_standings


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
        tokens = [self._sealer.tokens_of(sale.check.subject) for sale in sales]
        known = await _ever_listed(connection, {token for each in tokens for token in each})
        decisions = [ALLOWED] * len(sales)
        suspected: dict[int, list[int]] = {}
        for place, sale in enumerate(sales):
            version = versions.get(sale.sold_at)
            # No list knows an unknowable document, so nothing can be concluded from the tokens.
            may_be_listed = sale.check.subject.is_unknowable or not known.isdisjoint(tokens[place])
            if version is not None and may_be_listed:
                suspected.setdefault(version, []).append(place)
        for version, places in suspected.items():
            then = [sales[place] for place in places]
            told = await self._judge_then(connection, then, account_id, version)
            for place, decision in zip(places, told, strict=True):
                decisions[place] = decision
        return [
            Judged(sale=sale, decision=decision, list_version=versions.get(sale.sold_at))
            for sale, decision in zip(sales, decisions, strict=True)
        ]

    async def _judge_then(
        self,
        connection: AsyncConnection,
        sales: Sequence[PreparedSale],
        account_id: str,
        version: int,
    ) -> list[Decision]:
        """Judge sales by one version of the list.

        The uses of a permit depend on the instant, not on the version. So each subject with a
        counted permit is asked about alone.
        """
        subjects = [sale.check.subject for sale in sales]
        findings = await find_standings(connection, self._sealer, subjects, version=version)
        standings = list(findings.standings)
        for place, sale in enumerate(sales):
            if any(permit.is_counted for permit in standings[place].permits):
                then = await find_standings(
                    connection,
                    self._sealer,
                    [sale.check.subject],
                    claims=[claim_of(self._sealer, (sale.check, account_id))],
                    version=version,
                    used_until=sale.sold_at,
                )
                [standings[place]] = then.standings
        return [
            self._decide(sale, standing) for sale, standing in zip(sales, standings, strict=True)
        ]

    def _decide(self, sale: PreparedSale, standing: Standing) -> Decision:
        policy = self._policies.effective(sale.check.jurisdiction)
        return decide(
            standing,
            sale.check.service,
            policy=policy,
            now=sale.sold_at,
            to_organization=sale.check.subject.is_organization,
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
_wanted = any_(bindparam("tokens", type_=ARRAY(TokenColumn)))
_KNOWN = union(
    *(select(table.c.token).where(table.c.token == _wanted) for table in (document, bound_document))
)
