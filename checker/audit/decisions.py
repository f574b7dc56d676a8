"""Keeps every decision but a plain `allow`, before the answer is sent.

Nothing is kept of the subject, but for sealed tokens of what was held up (`checker.audit.held_up`).
An institution finds its decision by the id in its answer.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Self, overload

import msgspec
import uuid_utils
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.held_up import seal_traces
from checker.domain.decision import Decision, Outcome, Reason
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import ServiceType
from checker.registry.found_document import Trace
from checker.vault import Vault

KEEP_ROWS: Final = """
    INSERT INTO decision (id, at, account_id, service, jurisdiction, outcome, reasons, permit_id,
        list_version, listings, policy, subject)
    SELECT id, at, account_id, service, jurisdiction, outcome, reasons, permit_id,
        list_version, listings, decode(policy, 'base64'), decode(subject, 'base64')
    FROM json_to_recordset(CAST(:decisions AS json)) AS kept(
        id uuid, at timestamptz, account_id text, service text, jurisdiction text, outcome text,
        reasons jsonb, permit_id text, list_version bigint, listings text[], policy text,
        subject text)
"""
"""Write the decisions of `rows_of`. One JSON document has all rows: the driver would encode and
send each row alone."""

_IS_NEWEST: Final = """
    WHERE CAST(:change_id AS uuid) = (
        SELECT change_id FROM change ORDER BY version DESC LIMIT 1)
      AND CAST(:token_key AS integer) = (
        SELECT coalesce(max(number), 1) FROM token_key WHERE current_from IS NOT NULL)
"""
_KEEP = text(KEEP_ROWS)
_KEEP_IF_NEWEST = text(KEEP_ROWS + _IS_NEWEST)
_encode = msgspec.json.Encoder().encode

_log = logging.getLogger(__name__)


class KeptReason(Reason, frozen=True, kw_only=True):
    """A reason with its listing, even if the answer does not show the listing (`is_public`
    false).
    """

    is_public: bool


class KeptDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision as it is kept. `account_id` is None for a check on the command line.

    `listings` has the ids in the reasons, sorted. `policy` is the digest of the policy that was
    used. `subject` has the sealed ways of the listings to the subject.
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
    subject: bytes | None = None

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
        traces: Sequence[Trace],
        vault: Vault,
    ) -> Self:
        """Return what is kept of an answer. `whole` is the same decision with all listings
        shown. `traces` are the ways of the listings to the subject.
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
        listings = tuple(sorted({each.listing.id for each in reasons if each.listing}))
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
            listings=listings,
            policy=policy.digest,
            subject=seal_traces(vault, id, traces, listings),
        )


def new_id() -> str:
    """Return a UUID of version 7 (RFC 9562). Ids sort by the time at which they were made."""
    return str(uuid_utils.uuid7())


def rows_of(decisions: Collection[KeptDecision]) -> str:
    """Return decisions as `KEEP_ROWS` reads them."""
    return _encode(decisions).decode()


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
        await connection.execute(_KEEP, {"decisions": rows_of(decisions)})


async def keep_if_newest(
    connection: AsyncConnection,
    decisions: Collection[KeptDecision],
    *,
    change_id: str,
    token_key: int,
) -> bool:
    """Write decisions if `change_id` is the newest change of the list; return whether it is.

    One statement compares and writes. So it may be a transaction of its own: the list by which the
    decisions were made is the list in force when they are kept. The same holds for the number of
    the token key, under which the decisions' statements found tokens. If the registry has another
    key, nothing is written.
    """
    if not decisions:
        return True
    parameters = {
        "decisions": rows_of(decisions),
        "change_id": change_id,
        "token_key": token_key,
    }
    return (await connection.execute(_KEEP_IF_NEWEST, parameters)).rowcount > 0


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
