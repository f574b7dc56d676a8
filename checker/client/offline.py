"""Verifies receipts and webhooks without asking the service."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from checker.client.errors import ClientError
from checker.domain.clock import shanghai_day
from checker.domain.document import Document, DocumentType, normalize
from checker.receipts.errors import InvalidKeySet, InvalidReceipt
from checker.receipts.receipt import Claims, is_about, read_opening
from checker.receipts.signature import read_key_set
from checker.receipts.verification import verify_receipt as _verify


def verify_receipt(jws: str, jwks: bytes) -> Claims:
    """Return the claims of a receipt. `jwks` is the text of `/.well-known/jwks.json`.

    Raises:
        ClientError: none of the keys signed it, or the text was changed.
    """
    try:
        return _verify(jws, read_key_set(jwks)).claims
    except (InvalidReceipt, InvalidKeySet) as error:
        raise ClientError(str(error)) from None


def is_receipt_about(
    claims: Claims,
    opening: str,
    document_type: DocumentType | str,
    number: str,
    *,
    today: date | None = None,
) -> bool:
    """Return whether a receipt is about the holder of a document.

    Raises:
        ClientError: the opening, or the number, is none.
    """
    day = today or shanghai_day(datetime.now(UTC))
    try:
        document = normalize(Document(type=DocumentType(document_type), number=number), day)
        return is_about(claims, document, read_opening(opening))
    except ValueError as error:  # InvalidDocument too
        raise ClientError(str(error)) from None


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return the event of a webhook (CloudEvents). `secret` is what `PUT /v1/webhook` gave.

    Raises:
        ClientError: the signature is not that of the secret, or the message is too old.
    """
    try:
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
        event: dict[str, Any] = msgspec.json.decode(body)
    except (WebhookVerificationError, msgspec.DecodeError):
        raise ClientError("the webhook is not signed by this secret") from None
    return event
