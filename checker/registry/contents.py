"""The digests by which the journal names rows of the list: what of each row is digested, and how.

A digest covers what a row says, not how it is sealed, so that values which are sealed anew keep
their digests. A listing is digested with its officers and documents, in whatever order they stand.

Digests of years rest on the names and fields here. A column that comes later is added only where it
holds something: rows from before keep their digests.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from checker.journal.content import content_digest

LISTING: Final = "listing"
DIRECTIVE: Final = "directive"
BOUND_DOCUMENT: Final = "bound_document"
PERMIT: Final = "permit"
PERMIT_USE: Final = "permit_use"
CHANGE: Final = "change"

_LISTING_FIELDS: Final = (
    *("id", "digest", "case_number", "court", "filed_on", "published_on", "expires_on", "public"),
    "party_type",
)
_encode = msgspec.json.Encoder().encode

Digest = Callable[[bytes], bytes]
"""`Vault.digest`."""


class DocumentContent(NamedTuple):
    """What is digested of a document; `number` as the list shows it."""

    role: str
    type: str
    number: str
    masked: bool
    token: bytes
    name_token: bytes


class OfficerContent(NamedTuple):
    """What is digested of an officer."""

    role: str | None
    name: str
    resolved: bool
    documents: Sequence[DocumentContent]


def listing_digest(
    digest: Digest,
    row: Any,
    party_name: str,
    documents: Iterable[DocumentContent],
    officers: Iterable[OfficerContent],
) -> bytes:
    """Digest a listing: its row, the party's name and documents, and all officers."""
    content = {name: getattr(row, name) for name in _LISTING_FIELDS}
    content["party_name"] = party_name
    content["documents"] = _in_order(documents)
    content["officers"] = _in_order(
        officer._replace(documents=_in_order(officer.documents)) for officer in officers
    )
    return digest(_encode({LISTING: content}))


def directive_digest(digest: Digest, row: Any) -> bytes:
    """Digest a row of `directive`."""
    fields = ("listing_id", "kind", "on", "ground")
    content = {name: getattr(row, name) for name in fields}
    measures = None if row.measures is None else list(row.measures)
    return content_digest(digest, DIRECTIVE, content | {"measures": measures})


def bound_digest(digest: Digest, row: Any, number: str) -> bytes:
    """Digest a row of `bound_document`; `number` is the opened one."""
    content = {name: getattr(row, name) for name in ("person", "type", "token")}
    return content_digest(digest, BOUND_DOCUMENT, content | {"number": number})


def permit_digest(digest: Digest, row: Any, number: str) -> bytes:
    """Digest a row of `permit`; `number` is the opened one."""
    fields = (
        *("id", "digest", "type", "token", "valid_from", "valid_until", "uses", "court"),
        "ground",
    )
    content = {name: getattr(row, name) for name in fields}
    content["services"] = [str(service) for service in row.services]
    return content_digest(digest, PERMIT, content | {"number": number})


def use_digest(digest: Digest, permit_id: str, claim: bytes, at: datetime) -> bytes:
    """Digest one use of a permit."""
    content = {"permit_id": permit_id, "claim": claim, "at": at}
    return content_digest(digest, PERMIT_USE, content)


def change_digest(digest: Digest, row: Any) -> bytes:
    """Digest the row of a change."""
    fields = ("version", "kind", "at", "accepted", "rejected")
    return content_digest(digest, CHANGE, {name: getattr(row, name) for name in fields})


def _in_order(members: Iterable[Any]) -> list[Any]:
    """Put members in one order: rows of a table have none."""
    listed = list(members)
    return listed if len(listed) < 2 else sorted(listed, key=_encode)
