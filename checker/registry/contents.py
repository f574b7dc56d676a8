"""The digests by which the journal names rows of the list, and the content of each digest.

A digest covers what a row says, not how it is sealed, so that values which are sealed anew keep
their digests. A listing is digested with its officers and documents, in whatever order they stand.

Digests of years rest on the names and fields here. A column that comes later is added only where it
holds something: rows from before keep their digests.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from checker.domain.listing_kind import ListingKind
from checker.journal.content import content_digest

LISTING: Final = "listing"
DIRECTIVE: Final = "directive"
BOUND_DOCUMENT: Final = "bound_document"
PERMIT: Final = "permit"
PERMIT_USE: Final = "permit_use"
PERMIT_ANSWER: Final = "permit_answer"
PERMIT_RETURN: Final = "permit_return"
CHANGE: Final = "change"

_encode = msgspec.json.Encoder().encode

Digest = Callable[[bytes], bytes]
"""`Vault.digest`."""


DocumentContent: TypeAlias = tuple[object, ...]
"""The digested content of a document (`document_content`)."""


def document_content(row: Any, number: str) -> DocumentContent:
    """Return the digested content of a row of `document`; `number` as the list shows it."""
    content = (row.role, row.type, number, row.masked, row.token, row.name_token)
    return content if row.issuer is None else (*content, row.issuer)


class OfficerContent(NamedTuple):
    """The digested content of an officer; the documents are `in_order`."""

    role: str | None
    name: str
    resolved: bool
    documents: Sequence[DocumentContent]


def listing_digest(
    digest: Digest,
    row: Any,
    own_digest: bytes,
    party_name: str,
    documents: Sequence[DocumentContent],
    officers: Sequence[OfficerContent],
) -> bytes:
    """Digest a listing: its row, the party's name and documents, and all officers.

    `row` is a row of `listing` or an entry, `own_digest` its column `digest`. Fields stand in one
    order and without names, because an import does this for every line. An order has more fields
    than an entry of the list of the dishonest.
    """
    content: tuple[object, ...] = (
        LISTING,
        row.id,
        own_digest,
        row.case_number,
        row.court,
        row.filed_on,
        row.published_on,
        row.expires_on,
        row.public,
        row.party_type,
        party_name,
        in_order(documents),
        in_order(officers),
    )
    if row.kind != ListingKind.DISHONEST:
        content += (row.kind, row.items, row.starts_on)
    return digest(_encode(content))


def directive_digest(digest: Digest, row: Any, ground: str | None) -> bytes:
    """Digest a row of `directive`; `ground` is its ground, or its opened basis."""
    content = {name: getattr(row, name) for name in ("listing_id", "kind", "on")}
    content["ground"] = ground
    content["measures"] = None if row.measures is None else list(row.measures)
    if row.token is not None:
        content |= {name: getattr(row, name) for name in ("token", "issuer", "court")}
    return content_digest(digest, DIRECTIVE, content)


def bound_digest(digest: Digest, row: Any, number: str) -> bytes:
    """Digest a row of `bound_document`; `number` is the opened one."""
    content = {name: getattr(row, name) for name in ("person", "type", "token")}
    return content_digest(digest, BOUND_DOCUMENT, content | {"number": number} | _issuer(row))


def permit_digest(digest: Digest, row: Any, number: str, ground: str) -> bytes:
    """Digest a row of `permit`; `number` and `ground` are the opened ones."""
    fields = (
        "id",
        "digest",
        "type",
        "token",
        "valid_from",
        "valid_until",
        "uses",
        "court",
    )
    content = {name: getattr(row, name) for name in fields} | {"ground": ground}
    content["services"] = [str(service) for service in row.services]
    if row.kind is not None:
        content["kind"] = str(row.kind)
    return content_digest(digest, PERMIT, content | {"number": number} | _issuer(row))


def _issuer(row: Any) -> dict[str, str]:
    return {} if row.issuer is None else {"issuer": row.issuer}


class UseKey(NamedTuple):
    """The name of a use of a permit: the uses of one claim are numbered from 0."""

    permit_id: str
    claim: bytes
    number: int

    @property
    def text(self) -> str:
        """The name as the journal writes it. The first use of a claim has no number there."""
        number = f"#{self.number}" if self.number else ""
        return f"{self.permit_id}#{self.claim.hex()}{number}"

    def content(self) -> dict[str, Any]:
        """Return the digested fields."""
        content: dict[str, Any] = {"permit_id": self.permit_id, "claim": self.claim}
        return content | {"number": self.number} if self.number else content


def use_digest(digest: Digest, use: UseKey, at: datetime) -> bytes:
    """Digest one use of a permit."""
    return content_digest(digest, PERMIT_USE, use.content() | {"at": at})


def use_answer_digest(digest: Digest, use: UseKey, decision_id: str) -> bytes:
    """Digest a row that says on which use of a permit an answer rests."""
    return content_digest(digest, PERMIT_ANSWER, use.content() | {"decision_id": decision_id})


def use_return_digest(digest: Digest, use: UseKey, at: datetime, decision_id: str) -> bytes:
    """Digest the return of a use, which an outcome of a decision brought."""
    content = use.content() | {"at": at, "decision_id": decision_id}
    return content_digest(digest, PERMIT_RETURN, content)


def change_digest(digest: Digest, row: Any) -> bytes:
    """Digest the row of a change."""
    fields = ("version", "change_id", "history", "kind", "at", "accepted", "rejected")
    return content_digest(digest, CHANGE, {name: getattr(row, name) for name in fields})


def in_order(members: Sequence[Any]) -> Sequence[Any]:
    """Put members in one order: rows of a table have none."""
    return members if len(members) < 2 else sorted(members, key=_encode)
