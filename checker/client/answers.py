"""The answers of the API as the client reads them.

Answers grow: a field that the client does not know is left out, and a decision that it does not
know counts as `review` (contract, introduction).
"""

from enum import StrEnum
from typing import Any

import msgspec


class SaleVerdict(StrEnum):
    """The right of the seller; `deny` is the strongest."""

    ALLOW = "allow"
    CAP = "cap"
    REVIEW = "review"
    DENY = "deny"


class _Decided(msgspec.Struct, frozen=True, kw_only=True):
    decision: str

    @property
    def verdict(self) -> SaleVerdict:
        """The decision; `review` stands for a decision of a later version."""
        known = self.decision in set(SaleVerdict)
        return SaleVerdict(self.decision) if known else SaleVerdict.REVIEW


class AnswerReason(msgspec.Struct, frozen=True, kw_only=True):
    """One measure that reaches the subject. `listing` is None where it is not public."""

    code: str
    measure: str
    role: str
    listing: dict[str, Any] | None = None
    remedy: dict[str, Any] | None = None


class RoomUnderCap(msgspec.Struct, frozen=True, kw_only=True):
    """The room under a cap, in fen."""

    limit_fen: int
    held_fen: int
    captured_fen: int
    remaining_fen: int
    period: str
    resets_at: str


class AnsweringList(msgspec.Struct, frozen=True, kw_only=True):
    """The list that answered."""

    version: int
    as_of: str
    stale: bool
    history: str = ""


class GivenReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement of an answer, and the opening. The opening proves who the subject is."""

    jws: str
    opening: str


class ItemAnswer(_Decided, frozen=True, kw_only=True):
    """The answer to one check, alone or within a batch."""

    id: str
    reasons: tuple[AnswerReason, ...] = ()
    permit: dict[str, Any] | None = None
    spending: RoomUnderCap | None = None
    alternatives: tuple[dict[str, Any], ...] = ()
    reference: str | None = None
    receipt: GivenReceipt | None = None


class CheckAnswer(ItemAnswer, frozen=True, kw_only=True):
    """The answer to a single check."""

    list: AnsweringList


class BookingAnswer(_Decided, frozen=True, kw_only=True):
    """The verdict on a booking of several people; `blocking` are the places of who stand in it."""

    blocking: tuple[int, ...] = ()


class ManyAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """The answers to a batch, in the order of its items. An item that failed is an `ApiProblem`."""

    list: AnsweringList
    results: tuple[Any, ...]
    order: BookingAnswer | None = None


class HeldMoney(msgspec.Struct, frozen=True, kw_only=True):
    """Money held under a cap. `status` is `uncapped`, without an id, where no cap binds."""

    status: str
    id: str | None = None
    amount_fen: int = 0
    captured_fen: int = 0
    refunded_fen: int = 0
    expires_at: str | None = None
    decision: str | None = None
    decision_id: str | None = None
    spending: RoomUnderCap | None = None


class NoticesRead(msgspec.Struct, frozen=True, kw_only=True):
    """Events of the feed of notices; send `next` as `after` for the events behind them."""

    notices: tuple[dict[str, Any], ...]
    next: str
