"""The orders of a merchant: to hold, to hold more, to capture, to void, to refund."""

from typing import Annotated, Final

import msgspec

from cache.token import Token
from checker.domain.service_terms import AMOUNT_MAX_FEN
from checker.registry.prepared_check import PreparedCheck

HOLD_SECONDS: Final = 7 * 24 * 3600
"""The time of a hold without `hold_seconds`: the longest that cards commonly hold a stay."""
HOLD_SECONDS_MAX: Final = 31 * 24 * 3600
Amount = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_FEN)]
"""An amount of money in fen, at least 1."""
HoldSeconds = Annotated[int, msgspec.Meta(ge=1, le=HOLD_SECONDS_MAX)]


class AuthorizeCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the amount of a check's service, at least 1, of the cap of the check's subject.

    `claim` distinguishes this sale from other sales, where a permit counts them.
    """

    check: PreparedCheck
    claim: bytes
    hold_seconds: int = HOLD_SECONDS


class IncrementCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Hold more. `hold_seconds`, counted from now, replaces the hold's end if that is later.

    `claim` distinguishes this sale from other sales, if a permit counts its uses.
    """

    id: str
    amount_fen: int
    claim: bytes
    hold_seconds: int | None = None


class CaptureCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Use a hold."""

    id: str
    amount_fen: int


class VoidCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Drop a hold."""

    id: str


class RefundCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Give back a part of the captured amount, or all of it."""

    id: str
    amount_fen: int


SpendingCommand = AuthorizeCommand | IncrementCommand | CaptureCommand | VoidCommand | RefundCommand


class SpendingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A command of an account under an idempotency key: sent twice, the command is done once.

    `key` is the digest of the idempotency key (`Sealer.key_digest`). `digest` is
    the request's.
    """

    account_id: str
    key: Token
    digest: bytes
    command: SpendingCommand
