"""The part of a check that a baseline reads, and the name of a document in its store."""

import msgspec


class BaselineDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document as sent."""

    type: str
    number: str


class BaselineSubject(msgspec.Struct, frozen=True, kw_only=True):
    """The person who is asked about."""

    document: BaselineDocument


class BaselineCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check, without the service and the place."""

    subject: BaselineSubject


class BaselineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a check."""

    decision: str


def baseline_key(document_type: str, number: str) -> str:
    """Return the key of a document in Redis and PostgreSQL."""
    return f"{document_type}:{number}"
