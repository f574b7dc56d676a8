"""The content of a receipt, which names no person (contract, section 7).

`subject` is a commitment. The caller alone gets the opening, 32 random bytes. With the opening the
caller can prove the subject of the receipt. Without the opening nobody can learn the subject, not
even by trying all numbers. A receipt holds the measures and nothing else about the person: no
listing, no court, no name, no reference.
"""

import hmac
import secrets
from datetime import datetime
from typing import Annotated, Final

import msgspec

from checker.domain.decision import Decision, Outcome
from checker.domain.document import Document
from checker.domain.service import ServiceType
from checker.receipts.signature import base64url, unbase64url

OPENING_BYTES: Final = 32
_HASH: Final = "sha256"
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Since 1970, to the end of the year 9999."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A signed answer: a compact JWS, and the opening of its `subject`, 32 bytes in base64url.

    The JWS may be shown to anybody. The opening proves the subject: show it only to those who may
    know the subject.
    """

    jws: str
    opening: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that a receipt is to state. The document is normalised."""

    decision_id: str
    account_id: str
    decision: Decision
    list_version: int
    service: ServiceType
    document: Document


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The signed claims.

    `jti` is the decision's id, `iat` is in seconds since 1970, `aud` is the account that asked.
    `measures` are the measures of the reasons, each once, in the order of the reasons, even if a
    permit lifted them. `service` is the type of the service.
    """

    jti: str
    iat: _Seconds
    iss: str
    aud: str
    decision: Outcome
    measures: tuple[str, ...]
    list_version: int
    service: ServiceType
    subject: str


def claims_of(statement: Statement, *, issuer: str, at: datetime, opening: bytes) -> Claims:
    """Return the claims of an answer."""
    reasons = statement.decision.reasons
    return Claims(
        jti=statement.decision_id,
        iat=int(at.timestamp()),
        iss=issuer,
        aud=statement.account_id,
        decision=statement.decision.outcome,
        measures=tuple(dict.fromkeys(reason.measure for reason in reasons)),
        list_version=statement.list_version,
        service=statement.service,
        subject=commitment(statement.document, opening),
    )


def new_opening() -> bytes:
    """Return a random opening."""
    return secrets.token_bytes(OPENING_BYTES)


def commitment(document: Document, opening: bytes) -> str:
    """Return the commitment to a normalised document: HMAC-SHA256 of `type:number`, in base64url.

    The key of the HMAC is the 32 bytes of the opening, not their text.
    """
    text = f"{document.type.value}:{document.number}"
    return base64url(hmac.digest(opening, text.encode(), _HASH))


def read_opening(text: str) -> bytes:
    """Return the bytes of a receipt's opening. Raises ValueError for another text."""
    opening = unbase64url(text)
    if len(opening) != OPENING_BYTES:
        raise ValueError(f"an opening has {OPENING_BYTES} bytes")
    return opening


def is_about(claims: Claims, document: Document, opening: bytes) -> bool:
    """Whether the opening proves that a receipt is about this normalised document."""
    return hmac.compare_digest(commitment(document, opening).encode(), claims.subject.encode())
