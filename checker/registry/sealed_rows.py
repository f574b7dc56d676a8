"""The rows of one listing, sealed, before PostgreSQL has numbered them."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple


class SealedListingRow(NamedTuple):
    """A row for `listing`, staged under its line."""

    line: int
    id: str
    digest: bytes
    case_number: str
    court: str
    filed_on: date | None
    published_on: date | None
    expires_on: date | None
    public: bool
    party_type: str
    party_name: bytes
    kind: str
    items: Sequence[str] | None
    starts_on: date | None
    # The digest for the journal (`checker.registry.contents`): not a column of the list.
    content: bytes = b""


class OfficerRow(NamedTuple):
    """A row for `officer_link`; `ordinal` is the place of the officer in its line."""

    line: int
    ordinal: int
    role: str | None
    name: bytes
    resolved: bool


class DocumentRow(NamedTuple):
    """A row for `document`; without `ordinal` it is the party's. `shape` is that of the mask.

    A masked number has one row, and a `derived` row for each further key that finds it.
    """

    line: int
    ordinal: int | None
    role: str
    type: str
    number: bytes
    masked: bool
    token: bytes
    name_token: bytes
    shape: str | None
    derived: bool
    issuer: str | None = None


class SealedEntry(NamedTuple):
    """All rows of one listing."""

    listing: SealedListingRow
    officers: list[OfficerRow]
    documents: list[DocumentRow]
