"""The operations of a court's feed as they are applied (contract, section 5).

`checker.formats.operation` reads the operations from lines, and `checker.registry.ledger` applies
them to the list. Documents are normalised; days are days of Asia/Shanghai.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from checker.domain.document import Document
from checker.domain.permit import PermitKind
from checker.domain.service import ServiceType
from checker.registry.document_key import DocumentKey
from checker.registry.entry import ListingEntry, OfficerEntry


class DelistingGround(StrEnum):
    """Why a listing ends."""

    FULFILLED = "fulfilled"
    SETTLED = "settled"
    TERMINATED = "terminated"
    CORRECTED = "corrected"


class List(msgspec.Struct, frozen=True, kw_only=True):
    """The listing is in force, with this content.

    `spare_id` is set where the service derives ids from the record. If a record has the id already
    that reaches other officers, this record is one more listing and gets the `spare_id`.
    `former_id` is the id that the record had before decision 0045. `dropped_fields` could not be
    read and decide nothing.
    """

    entry: ListingEntry
    spare_id: str | None = None
    former_id: str | None = None
    dropped_fields: tuple[str, ...] = ()


class Delist(msgspec.Struct, frozen=True, kw_only=True):
    """The listing ends when the day `on` begins, or at once if the day has begun."""

    listing_id: str
    ground: DelistingGround
    on: date


class Shield(msgspec.Struct, frozen=True, kw_only=True):
    """The listing reaches nobody for the time being."""

    listing_id: str


class Unshield(msgspec.Struct, frozen=True, kw_only=True):
    """The shielding is over."""

    listing_id: str


class Fulfil(msgspec.Struct, frozen=True, kw_only=True):
    """The duty was fulfilled `on` that day: the clock for the removal starts."""

    listing_id: str
    on: date


class ReplaceOfficers(msgspec.Struct, frozen=True, kw_only=True):
    """These are the officers now, and nobody else is."""

    listing_id: str
    officers: tuple[OfficerEntry, ...]


class Retain(msgspec.Struct, frozen=True, kw_only=True):
    """These measures stay after the listing has ended, until the day before `until`."""

    listing_id: str
    measures: tuple[str, ...]
    until: date
    basis: str


class Distinguish(msgspec.Struct, frozen=True, kw_only=True):
    """A court has found that the holder of this document is not the person of the listing.

    The listing never again reaches the document, in any way. `document` is a key where only the key
    of a document is kept: with a decision.
    """

    listing_id: str
    document: Document | DocumentKey
    court: str
    on: date


class Undistinguish(msgspec.Struct, frozen=True, kw_only=True):
    """The distinction of this document is taken back."""

    listing_id: str
    document: Document


class RemoveOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """The officers with one of these listed documents leave the listing; all others stay.

    A passport of an unknown issuer is every passport of its number.
    """

    listing_id: str
    documents: frozenset[DocumentKey]


class Bind(msgspec.Struct, frozen=True, kw_only=True):
    """These documents are one person's."""

    documents: tuple[Document, ...]


class PermitEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A court's dated exception, on `[valid_from, valid_until)`; `uses` None: any number.

    A permit without a `kind` is encoded as it was before there were kinds, so that its digest is
    the same.
    """

    id: str
    document: Document
    services: tuple[ServiceType, ...]
    valid_from: datetime
    valid_until: datetime
    uses: int | None
    court: str
    ground: str
    kind: PermitKind | None = None


class GrantPermit(msgspec.Struct, frozen=True, kw_only=True):
    """The permit is in force; once withdrawn it never is again."""

    permit: PermitEntry


class WithdrawPermit(msgspec.Struct, frozen=True, kw_only=True):
    """The permit lifts nothing any more."""

    permit_id: str


ListingOperation = (
    List
    | Delist
    | Shield
    | Unshield
    | Fulfil
    | ReplaceOfficers
    | RemoveOfficer
    | Retain
    | Distinguish
    | Undistinguish
)
"""The operations about one listing, whose id `listing_id_of` returns."""

Operation = ListingOperation | Bind | GrantPermit | WithdrawPermit


def listing_id_of(operation: ListingOperation) -> str:
    """Return the id of the listing that the operation is about."""
    return operation.entry.id if isinstance(operation, List) else operation.listing_id
