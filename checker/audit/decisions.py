"""Keeps what was decided: every answer but a plain `allow`, before it is given.

Of whom it was about nothing is kept: an institution finds its decision by the id in its answer.
"""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Self

import msgspec
import uuid_utils
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.schema import decision as decision_table
from checker.domain.decision import Decision, Outcome, Reason
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType

_AS_IS = (datetime, bytes)

_log = logging.getLogger(__name__)


class KeptReason(Reason, frozen=True, kw_only=True):
    """A reason with its listing, also where the answer might not show it (`is_public` false)."""

    is_public: bool


class KeptDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `account_id` None: asked on the command line.

    `listings` are the ids that the reasons name, sorted; `policy` the digest of what was judged by.
    """

    id: str
    at: datetime
    account_id: str | None
    service: ServiceType
    jurisdiction: Jurisdiction
    outcome: Outcome
    reasons: tuple[KeptReason, ...]
    permit_id: str | None
    list_version: int
    listings: tuple[str, ...]
    policy: bytes

    @classmethod
    def of(
        cls,
        answered: Decision,
        whole: Decision,
        *,
        id: str,  # noqa: A002 - the field's name
        at: datetime,
        account_id: str | None,
        service: ServiceType,
        jurisdiction: Jurisdiction,
        policy: EffectivePolicy,
        list_version: int,
    ) -> Self:
        """Put together what is kept of an answer; `whole` is the same with all listings shown."""
        reasons = [
            KeptReason(
                code=kept.code,
                measure=kept.measure,
                role=kept.role,
                listing=kept.listing,
                remedy=kept.remedy,
                is_public=kept.listing is None or shown.listing is not None,
            )
            for kept, shown in zip(whole.reasons, answered.reasons, strict=True)
        ]
        return cls(
            id=id,
            at=at,
            account_id=account_id,
            service=service,
            jurisdiction=jurisdiction,
            outcome=answered.outcome,
            reasons=tuple(reasons),
            permit_id=None if answered.permit is None else answered.permit.id,
            list_version=list_version,
            listings=tuple(sorted({each.listing.id for each in reasons if each.listing})),
            policy=policy.digest,
        )


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): ids sort by the time they were given out."""
    return str(uuid_utils.uuid7())


async def keep(connection: AsyncConnection, decisions: Collection[KeptDecision]) -> None:
    """Write decisions within the connection's transaction: they are kept once it is committed."""
    if decisions:
        rows = [msgspec.to_builtins(each, builtin_types=_AS_IS) for each in decisions]
        await connection.execute(insert(decision_table), rows)


def log_kept(decisions: Collection[KeptDecision]) -> None:
    """Log each decision once it is kept, by its id; a plain `allow` is neither kept nor logged."""
    for each in decisions:
        _log.info(
            "decision kept",
            extra={
                "decision_id": each.id,
                "account_id": each.account_id,
                "service": each.service.value,
                "outcome": each.outcome.value,
                "list_version": each.list_version,
            },
        )
