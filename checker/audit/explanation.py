"""Explains a kept decision, even years later: by which section, listing and list it was made.

Everything comes from the rows that were kept with the decision: the reasons, the version of the
list, and the policy of that time. The sentences are made of these, in Chinese and in English.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.decisions import KeptReason
from checker.audit.distinguished import Distinguished, read_distinguished
from checker.audit.outcomes import UNKNOWN, canonical_id, read_reports
from checker.audit.schema import chain_link, decision, policy
from checker.audit.wording import explain_decision, explain_reason
from checker.database.engine import attempt, driver_errors
from checker.domain.clock import InstantText, instant_text
from checker.domain.decision import Outcome, ReasonCode, Remedy, ShownListing
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.measure import Measure, Source, Title
from checker.domain.service import ServiceType
from checker.errors import NotFound
from checker.vault import Vault

_LIST_CHANGE: Final = "SELECT at FROM change WHERE version = :version"


class ExplainedReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason with the section it rests on. `text` says both in a sentence.

    `source`, `section`, `title` and `authorities` are null if the policy of that time is unknown.
    `listing` is null if it is not public and the reader is the institution. `distinguished` is set
    if a court has found since that the subject is not the person of the listing.
    """

    code: ReasonCode
    measure: str
    source: Source | None
    section: str | None
    title: Title | None
    authorities: tuple[str, ...] | None
    role: str | None
    listing: ShownListing | None
    remedy: Remedy | None
    distinguished: Distinguished | None
    text: Title


class ExplainedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome that the institution has reported."""

    outcome: str
    note: str | None
    at: InstantText


class ListThen(msgspec.Struct, frozen=True, kw_only=True):
    """The list by which the decision was made."""

    version: int
    as_of: InstantText


class ChainPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The link that holds a decision in the chain. Its digest is in hexadecimal."""

    number: int
    digest: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A kept decision with its reasons. `chain` is null for a moment after the decision.

    `policy` is the digest, in hexadecimal, of the measures and settings that were used.
    """

    id: str
    at: InstantText
    account_id: str | None
    service: ServiceType
    jurisdiction: Jurisdiction
    decision: Outcome
    reasons: tuple[ExplainedReason, ...]
    permit_id: str | None
    list: ListThen
    policy: str | None
    outcomes: tuple[ExplainedOutcome, ...]
    chain: ChainPlace | None
    text: Title


class Explanations:
    """Explains decisions from the record."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    async def explain(self, decision_id: str, *, account_id: str | None) -> Explanation:
        """Return the explanation of a decision of an account.

        With `account_id` None the decision may be any account's, and every listing is shown.

        Raises:
            NotFound: there is no decision of this id, or it is another account's.
            Unavailable: PostgreSQL is away.
        """
        wanted = canonical_id(decision_id)
        found = (
            select(decision, policy.c.content)
            .join_from(decision, policy, policy.c.digest == decision.c.policy, isouter=True)
            .where(decision.c.id == wanted)
        )
        if account_id is not None:
            found = found.where(decision.c.account_id == account_id)

        async def work(connection: AsyncConnection) -> Explanation:
            row = (await connection.execute(found)).one_or_none()
            if row is None:
                raise NotFound(UNKNOWN)
            reports = await read_reports(connection, self._vault, wanted)
            outcomes = [
                ExplainedOutcome(outcome=each.outcome, note=each.note, at=instant_text(each.at))
                for each in reports
            ]
            listed_at = await _list_at(connection, row.list_version)
            chain = await _chain_place(connection, wanted)
            distinguished = await read_distinguished(connection, self._vault, row)
            return _explained(
                row, listed_at, outcomes, chain, distinguished, show_all=account_id is None
            )

        with driver_errors():
            return await attempt(self._engine, work)


def kept_reasons(reasons: Any) -> tuple[KeptReason, ...]:
    """Return the kept reasons of a decision."""
    return msgspec.convert(reasons, tuple[KeptReason, ...])


def _explained(
    row: Any,
    listed_at: datetime,
    outcomes: Sequence[ExplainedOutcome],
    chain: ChainPlace | None,
    distinguished: Mapping[str, Distinguished],
    *,
    show_all: bool,
) -> Explanation:
    measures = _measures(row.content)
    reasons = tuple(
        _explained_reason(reason, measures.get(reason.measure), distinguished, show_all=show_all)
        for reason in kept_reasons(row.reasons)
    )
    return Explanation(
        id=str(row.id),
        at=instant_text(row.at),
        account_id=row.account_id,
        service=ServiceType(row.service),
        jurisdiction=Jurisdiction(row.jurisdiction),
        decision=Outcome(row.outcome),
        reasons=reasons,
        permit_id=row.permit_id,
        list=ListThen(version=row.list_version, as_of=instant_text(listed_at)),
        policy=None if row.policy is None else row.policy.hex(),
        outcomes=tuple(outcomes),
        chain=chain,
        text=explain_decision(Outcome(row.outcome), row.permit_id),
    )


def _explained_reason(
    reason: KeptReason,
    measure: Measure | None,
    distinguished: Mapping[str, Distinguished],
    *,
    show_all: bool,
) -> ExplainedReason:
    listing = reason.listing if reason.is_public or show_all else None
    since = None if reason.listing is None else distinguished.get(reason.listing.id)
    return ExplainedReason(
        code=reason.code,
        measure=reason.measure,
        source=None if measure is None else measure.source,
        section=None if measure is None else measure.section,
        title=None if measure is None else measure.title,
        authorities=None if measure is None else measure.authorities,
        role=reason.role,
        listing=listing,
        remedy=reason.remedy,
        distinguished=since,
        text=explain_reason(reason, measure, listing, since),
    )


def _measures(content: Any) -> Mapping[str, Measure]:
    if content is None:
        return {}
    measures = msgspec.convert(content["measures"], tuple[Measure, ...])
    return {each.id: each for each in measures}


async def _list_at(connection: AsyncConnection, version: int) -> datetime:
    found = text(_LIST_CHANGE)
    at: datetime = (await connection.execute(found, {"version": version})).scalar_one()
    return at


async def _chain_place(connection: AsyncConnection, decision_id: str) -> ChainPlace | None:
    of_it = select(chain_link).where(
        chain_link.c.decision_id == decision_id, chain_link.c.reported_pk.is_(None)
    )
    row = (await connection.execute(of_it)).one_or_none()
    return None if row is None else ChainPlace(number=row.number, digest=row.digest.hex())
