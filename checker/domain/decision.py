"""Decisions and their reasons, in the shape and under the names of the contract, section 2.

These structs are serialised as they are, so a field here is a field of the API. Only the permit of
a decision is shown in another form.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.clock import CapPeriod, InstantText
from checker.domain.listing_kind import ListingKind
from checker.domain.permit import Permit
from checker.domain.role import Role
from checker.domain.service import Service


class Outcome(StrEnum):
    """The four outcomes of a decision, weakest first."""

    ALLOW = "allow"
    CAP = "cap"
    REVIEW = "review"
    DENY = "deny"

    @property
    def strength(self) -> int:
        """0 for `allow` up to 3 for `deny`."""
        return _STRENGTH[self]


_STRENGTH = {outcome: strength for strength, outcome in enumerate(Outcome)}


class ReasonCode(StrEnum):
    """Why a measure reaches the subject, or why the facts do not decide."""

    RESTRICTED = "restricted"
    CAPPED = "capped"
    REFERENCE = "reference"
    SEAT_UNCLEAR = "seat_unclear"
    NAME_MISMATCH = "name_mismatch"
    MASKED_MATCH = "masked_match"
    THRESHOLD_UNSET = "threshold_unset"
    CAP_UNSET = "cap_unset"
    REMOVAL_OVERDUE = "removal_overdue"
    ISSUER_UNKNOWN = "issuer_unknown"
    DOCUMENTS_DISAGREE = "documents_disagree"
    IDENTITY_NOT_RESOLVABLE = "identity_not_resolvable"


OUTCOMES: Final = {
    ReasonCode.RESTRICTED: Outcome.DENY,
    ReasonCode.CAPPED: Outcome.CAP,
    ReasonCode.REFERENCE: Outcome.REVIEW,
    ReasonCode.SEAT_UNCLEAR: Outcome.REVIEW,
    ReasonCode.NAME_MISMATCH: Outcome.REVIEW,
    ReasonCode.MASKED_MATCH: Outcome.REVIEW,
    ReasonCode.THRESHOLD_UNSET: Outcome.REVIEW,
    ReasonCode.CAP_UNSET: Outcome.REVIEW,
    ReasonCode.REMOVAL_OVERDUE: Outcome.REVIEW,
    ReasonCode.ISSUER_UNKNOWN: Outcome.REVIEW,
    ReasonCode.DOCUMENTS_DISAGREE: Outcome.REVIEW,
    ReasonCode.IDENTITY_NOT_RESOLVABLE: Outcome.REVIEW,
}
"""The outcome of one reason alone. An amount above its cap turns `capped` into `deny`."""


class ShownListing(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a public listing that a reason shows."""

    id: str
    case_number: str
    court: str
    published_on: date | None
    kind: ListingKind = ListingKind.DISHONEST


APPLY_DAYS: Final = 10
REVIEW_DAYS: Final = 3


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """The court that corrects the listing, and the time that both sides have, in days.

    中办发〔2016〕64号, section 四（二）3, and the same section of the Leizhou plan.
    """

    court: str
    apply_within_days: int = APPLY_DAYS
    review_within_days: int = REVIEW_DAYS


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One measure that reaches the subject by one listing.

    `listing` is None if the listing is not public, or not known in detail. `remedy` is None only in
    the second case, because a refused person must know where to ask for correction. `role` is None
    for `identity_not_resolvable` alone: nobody knows whether the subject is listed.
    """

    code: ReasonCode
    measure: str
    role: Role | None
    listing: ShownListing | None
    remedy: Remedy | None


class CapSpending(msgspec.Struct, frozen=True, kw_only=True):
    """The room left under a cap; `remaining_fen` is never below 0."""

    limit_fen: int
    held_fen: int
    captured_fen: int
    remaining_fen: int
    period: CapPeriod
    resets_at: InstantText
    """RFC 3339: when the calendar period in Asia/Shanghai ends."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision. `spending` is set if a reason is `capped` and no permit lifts the reasons.

    `permit` is the permit that lifted the reasons. The reasons stay: they hold without the permit.
    The answer to a `deny` has `alternatives` (`checker.domain.alternatives`); no other answer has.
    """

    outcome: Outcome = msgspec.field(name="decision")
    reasons: tuple[Reason, ...] = ()
    permit: Permit | None = None
    spending: CapSpending | None = None
    alternatives: tuple[Service, ...] | msgspec.UnsetType = msgspec.UNSET


ALLOWED: Final = Decision(outcome=Outcome.ALLOW)


def strongest(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the strongest of `outcomes`; `allow` if there is none."""
    return max(outcomes, key=_STRENGTH.__getitem__, default=Outcome.ALLOW)
