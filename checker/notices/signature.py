"""Signatures of messages (Standard Webhooks, symmetric `v1`), and the secrets for them.

A secret is `whsec_` and 32 random bytes in base64. The signature covers the id, the time and the
body. While a secret is being replaced, the message has a signature by each.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from standardwebhooks import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    """Return a new secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(
    secrets_in_use: Sequence[str], message_id: str, at: datetime, body: str
) -> dict[str, str]:
    """Return the headers of a message that is sent at the aware instant `at`, in UTC."""
    signatures = (Webhook(secret).sign(message_id, at, body) for secret in secrets_in_use)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
