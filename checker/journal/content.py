"""Digests the content of a row: named fields, in one form for every driver."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

_encode = msgspec.json.Encoder(order="deterministic").encode


def content_digest(digest: Callable[[bytes], bytes], kind: str, fields: Mapping[str, Any]) -> bytes:
    """Return a digest of `{kind: {field: value}}` as JSON with sorted keys.

    Instants are written in UTC to the microsecond, bytes in base64, days as `YYYY-MM-DD`. `digest`
    is `Vault.digest`.
    """
    return digest(_encode({kind: {name: _plain(value) for name, value in fields.items()}}))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):  # the driver's own class, which the encoder does not know
        return str(value)
    return value
