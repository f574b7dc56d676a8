"""What a merchant may order: to hold, to hold more, to capture, to void, to refund."""

from typing import Annotated, Final

import msgspec

from cache.token import Token
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Resort
from checker.domain.service_terms import AMOUNT_MAX_FEN
from checker.registry.standings import StandingQuestion

HOLD_SECONDS: Final = 7 * 24 * 3600
"""How long a hold lasts where nobody says: the longest that cards commonly hold a stay."""
HOLD_SECONDS_MAX: Final = 31 * 24 * 3600
Amount = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_FEN)]
"""Money that moves, in fen: never nothing."""
HoldSeconds = Annotated[int, msgspec.Meta(ge=1, le=HOLD_SECONDS_MAX)]


class Authorize(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `service.amount_fen`, at least 1, of the cap of whom the question is about.

    The question's first token is that of the document itself, and it has a claim.
    """

    question: StandingQuestion
    service: Resort
    jurisdiction: Jurisdiction
    reference: str | None
    hold_seconds: int = HOLD_SECONDS


class Increment(msgspec.Struct, frozen=True, kw_only=True):
    """Hold more; with `hold_seconds` from now on for so long, if that is longer than before.

    `claim` tells the sale from others, where a permit counts them.
    """

    id: str
    amount_fen: int
    claim: bytes
    hold_seconds: int | None = None


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """Use a hold."""

    id: str
    amount_fen: int


class Void(msgspec.Struct, frozen=True, kw_only=True):
    """Drop a hold."""

    id: str


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Give back of what was captured."""

    id: str
    amount_fen: int


Command = Authorize | Increment | Capture | Void | Refund


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command of an account under an idempotency key: sent twice, the command is done once.

    `key` is the digest of the idempotency key (`Sealer.key_digest`). `digest` tells the request
    from others.
    """

    account_id: str
    key: Token
    digest: bytes
    command: Command
