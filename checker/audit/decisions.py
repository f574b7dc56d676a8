"""Keeps every decision but a plain `allow`, before the answer is sent.

Nothing is kept of the subject. An institution finds its decision by the id in its answer.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Self, overload

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
    """A reason with its listing, even if the answer does not show the listing (`is_public`
    false).
    """

    is_public: bool


class KeptDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision as it is kept. `account_id` is None for a check on the command line.

    `listings` has the ids in the reasons, sorted. `policy` is the digest of the policy that was
    used.
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
        """Return what is kept of an answer. `whole` is the same decision with all listings
        shown.
        """
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
    """Return a UUID of version 7 (RFC 9562). Ids sort by the time at which they were made."""
    return str(uuid_utils.uuid7())


class BatchIds(Sequence[str]):
    """The ids of the answers of one batch, in order: `kept` by place, and all others counted.

    Counted ids begin alike, with the instant and 50 random bits of one `new_id`. Their last 24 bits
    are the place. RFC 9562 (section 6.2) allows such a counter. Two batches never share an id,
    because their beginnings differ, also those of two processes. A caller who knows one counted id
    knows the others. So a kept decision has an id of its own, which nobody can guess.
    """

    COUNTER_DIGITS: Final = 6
    """Hexadecimal digits: 16 million places, where a batch has 10 000 at most."""

    def __init__(self, count: int, kept: Mapping[int, str] | None = None) -> None:
        self.begin: Final = new_id()[: -self.COUNTER_DIGITS]
        self._count = count
        self._kept = kept or {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._count))]
        at = range(self._count)[place]
        return self._kept.get(at) or f"{self.begin}{at:0{self.COUNTER_DIGITS}x}"


async def keep(connection: AsyncConnection, decisions: Collection[KeptDecision]) -> None:
    """Write decisions within the connection's transaction. They are kept once it is committed."""
    if decisions:
        rows = [msgspec.to_builtins(each, builtin_types=_AS_IS) for each in decisions]
        await connection.execute(insert(decision_table), rows)


def log_kept(decisions: Collection[KeptDecision]) -> None:
    """Log each kept decision by its id. A plain `allow` is neither kept nor logged."""
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
