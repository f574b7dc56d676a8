"""What ends of a listing, and which decisions an ending is about: pure.

A decision was made by the list as it was: whoever read a version before the one that ended it, or
decided before the instant that did, was told of the restriction, whenever that was committed.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec

from checker.domain.role import Role
from checker.domain.service import ServiceType


class Ground(StrEnum):
    """Why something ended, besides the grounds of a delisting (contract, section 5)."""

    REMOVED = "removed"
    """A snapshot no longer holds the listing."""
    EXPIRED = "expired"
    SHIELDED = "shielded"
    OFFICER_LEFT = "officer_left"
    PARTY_REPLACED = "party_replaced"
    """The listing is about somebody else now."""
    PERMIT = "permit"
    RETENTION_OVER = "retention_over"
    """The measures that a court kept after the listing had ended."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Something of a listing that restricts no longer, from a day or an instant on.

    It is about decisions by a version before `before_version`, or made before `before_at`. `roles`:
    only those that rest on these alone; `services`: only those about these, and not permitted
    already. What rests on a measure in `kept` goes on being restricted. After a final one the
    listing restricts nobody until it begins anew.
    """

    listing_id: str
    key: str
    ground: str
    ended_on: date | None = None
    ended_at: datetime | None = None
    before_version: int | None = None
    before_at: datetime | None = None
    roles: frozenset[Role] | None = None
    services: frozenset[ServiceType] | None = None
    kept: frozenset[str] = frozenset()
    is_final: bool = False


class TellingReason(msgspec.Struct, frozen=True, kw_only=True):
    """What one reason of a decision said of one listing, and whether it showed the listing."""

    measure: str
    role: Role
    is_public: bool


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that named a listing, with its reasons about that listing."""

    decision_id: str
    account_id: str
    service: ServiceType
    permitted: bool
    reasons: Sequence[TellingReason]

    @property
    def showed_listing(self) -> bool:
        """Whether the answer named it: a listing that is not public is hidden from whoever asks."""
        return all(reason.is_public for reason in self.reasons)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of which an account has heard: of an ending `key` of theirs, final or not."""

    key: str
    is_final: bool
    decision_ids: Collection[str]


def concerns(ending: Ending, told: Told) -> bool:
    """Say whether what a decision said of the listing ends with the ending."""
    if ending.roles is not None and not {each.role for each in told.reasons} <= ending.roles:
        return False
    if ending.services is not None and (told.permitted or told.service not in ending.services):
        return False
    return not any(reason.measure in ending.kept for reason in told.reasons)


def is_news(ending: Ending, decision_id: str, heard: Sequence[Heard]) -> bool:
    """Say whether it is to be told: nobody hears of one ending twice, or of any after the last."""
    return not any(
        (each.is_final or each.key == ending.key) and decision_id in each.decision_ids
        for each in heard
    )
