"""A listing as the registry takes it in, whatever its format was; documents are normalised."""

from datetime import date
from enum import StrEnum

import msgspec

from checker.domain.document import Document
from checker.domain.listing_kind import ListingKind
from checker.domain.masking import MaskedNumber
from checker.domain.role import Role
from checker.domain.service import ServiceType


class PartyType(StrEnum):
    """The kinds of party of a listing."""

    PERSON = "person"
    ORGANIZATION = "organization"


class RejectCode(StrEnum):
    """Why a line of the feed was not accepted."""

    INVALID_ENCODING = "invalid-encoding"
    INVALID_JSON = "invalid-json"
    INVALID_LISTING = "invalid-listing"
    INVALID_DOCUMENT = "invalid-document"
    INVALID_OPERATION = "invalid-operation"
    DUPLICATE_ID = "duplicate-id"
    LINE_TOO_LONG = "line-too-long"
    NOBODY_REACHED = "nobody-reached"
    ID_TAKEN = "id-taken"
    UNKNOWN_LISTING = "unknown-listing"
    LISTING_ENDED = "listing-ended"
    UNKNOWN_PERMIT = "unknown-permit"
    NOT_YOURS = "not-yours"
    PERMIT_TOO_LONG = "permit-too-long"
    UNKNOWN_MEASURE = "unknown-measure"
    ENDS_BEFORE_IT_STARTS = "ends-before-it-starts"
    IN_THE_FUTURE = "in-the-future"
    SUPERSEDED = "superseded"
    MINOR = "minor"


class LineRejected(Exception):
    """A line that cannot stand. `detail` names the field and never what stood in it."""

    def __init__(self, code: RejectCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class MaskedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the list shows only in part."""

    type: str
    number: MaskedNumber


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody named by a listing, and the documents by which they can be found."""

    name: str
    documents: tuple[Document | MaskedDocument, ...]


class OfficerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An officer of the listed organization; with no role or no document they reach nobody."""

    role: Role | None
    holder: Holder

    @property
    def resolved(self) -> bool:
        """Whether a check can find them."""
        return self.role is not None and bool(self.holder.documents)


class ListingEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One court's entry of one party for one case, or its order restricting the consumption of one.

    An order restricts the service types in `items` (None: all), from `starts_on` on (None: from the
    day of publication). The digest of an entry is made from its fields. A field that comes later
    has a default and is left out of the digest then, so digests of years stay the same.
    """

    id: str
    case_number: str
    court: str
    filed_on: date | None
    published_on: date | None
    expires_on: date | None
    public: bool
    party_type: PartyType
    party: Holder
    officers: tuple[OfficerEntry, ...]
    kind: ListingKind = ListingKind.DISHONEST
    items: tuple[ServiceType, ...] | None = None
    starts_on: date | None = None
