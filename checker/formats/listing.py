"""The feed's own format: one listing a line, as the contract's section 5 shows it.

The court that sends a line can mend it at once, so lines are read strictly. An unknown field, an
unknown role or a number with a wrong check digit rejects the line. A number with characters hidden
behind `*` is read as a masked number.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

import msgspec

from checker.decoding import decode_once
from checker.domain.document import Document, normalize_listed
from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.listing_kind import ListingKind
from checker.domain.mask_reading import read_masked
from checker.domain.name import normalize_name
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.errors import InvalidRequest
from checker.formats.feed_format import ListFormat, Reading
from checker.registry.entry import (
    Holder,
    LineRejected,
    ListingEntry,
    MaskedDocument,
    OfficerEntry,
    PartyType,
    RejectCode,
)
from checker.registry.minors import require_adults

NAME_LENGTH_MAX = 300
TEXT_LENGTH_MAX = 300
ID_LENGTH_MAX = 100
DOCUMENTS_MAX = 50
OFFICERS_MAX = 500
ITEMS_MAX = 50
"""More than there are service types: an item may be there twice."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
# PostgreSQL keeps no NUL in a text.
_NO_NUL = r"^[^\x00]+$"
Text = Annotated[str, msgspec.Meta(max_length=TEXT_LENGTH_MAX, pattern=_NO_NUL)]
Id = Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX, pattern=_NO_NUL)]
_Items = Annotated[tuple[ServiceType, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)]
_Documents = Annotated[tuple[Document, ...], msgspec.Meta(max_length=DOCUMENTS_MAX)]


class PartyLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The judgment defaulter."""

    type: PartyType
    name: _Name
    documents: Annotated[tuple[Document, ...], msgspec.Meta(min_length=1, max_length=DOCUMENTS_MAX)]


class OfficerLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One officer. An officer without documents is kept as unresolved."""

    role: Role
    name: _Name
    documents: _Documents = ()

    def __post_init__(self) -> None:
        if self.role is Role.DEBTOR:
            raise ValueError("an officer cannot be the debtor")


OfficerLines = Annotated[tuple[OfficerLine, ...], msgspec.Meta(max_length=OFFICERS_MAX)]


class ListingLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A listing, as sent. An order alone has `items` and `starts_on`."""

    id: Id
    case_number: Text
    court: Text
    filed_on: date | None = None
    published_on: date | None = None
    expires_on: date | None = None
    public: bool = True
    party: PartyLine
    officers: OfficerLines = ()
    kind: ListingKind = ListingKind.DISHONEST
    items: _Items | None = None
    starts_on: date | None = None

    def __post_init__(self) -> None:
        if self.officers and self.party.type is PartyType.PERSON:
            raise ValueError("a person has no officers")
        is_order = self.kind is ListingKind.CONSUMPTION_ORDER
        if not is_order and (self.items is not None or self.starts_on is not None):
            raise ValueError("only a consumption_order has items or starts_on")
        if (
            self.expires_on is not None
            and self.starts_on is not None
            and self.expires_on <= self.starts_on
        ):
            raise ValueError("an order cannot expire before it starts")
        if (
            self.expires_on is not None
            and self.published_on is not None
            and self.expires_on <= self.published_on
        ):
            raise ValueError("a listing cannot expire before it is published")


_decoder = msgspec.json.Decoder(ListingLine)


def parse_listing(line: bytes, reading: Reading) -> ListingEntry:
    """Return the listing of one line.

    Raises:
        LineRejected: the error names the field at fault and never its value.
    """
    try:
        sent = decode_once(_decoder, line)
    except InvalidRequest as error:
        raise rejection(error, RejectCode.INVALID_LISTING) from None
    return read_listing(sent, reading.today)


def read_listing(sent: ListingLine, today: date, under: str = "") -> ListingEntry:
    """Return a listing as the registry takes it in; `under` is its JSON pointer in the line.

    Raises:
        LineRejected: a name is blank, a document can belong to nobody, or somebody is under 18.
    """
    entry = ListingEntry(
        id=sent.id,
        case_number=sent.case_number,
        court=sent.court,
        filed_on=sent.filed_on,
        published_on=sent.published_on,
        expires_on=sent.expires_on,
        public=sent.public,
        party_type=sent.party.type,
        party=_holder(sent.party.name, sent.party.documents, today, f"{under}/party"),
        officers=read_officers(sent.officers, today, under),
        kind=sent.kind,
        items=None if sent.items is None else tuple(sorted(set(sent.items))),
        starts_on=sent.starts_on,
    )
    require_adults(entry, under)
    return entry


def read_officers(
    sent: Sequence[OfficerLine], today: date, under: str = ""
) -> tuple[OfficerEntry, ...]:
    """Return officers as the registry takes them in; `under` is the JSON pointer of their object.

    Raises:
        LineRejected: a name is blank, or a document can belong to nobody.
    """
    return tuple(
        OfficerEntry(
            role=officer.role,
            holder=_holder(officer.name, officer.documents, today, f"{under}/officers/{index}"),
        )
        for index, officer in enumerate(sent)
    )


def _holder(name: str, documents: tuple[Document, ...], today: date, under: str) -> Holder:
    if not normalize_name(name):
        raise LineRejected(RejectCode.INVALID_LISTING, f"{under}/name is blank")
    read = []
    for index, document in enumerate(documents):
        try:
            read.append(read_document(document, today))
        except InvalidDocument as error:
            raise invalid_document(error, f"{under}/documents/{index}") from None
    return Holder(name=name, documents=tuple(read))


def read_document(document: Document, today: date) -> Document | MaskedDocument:
    """Return a listed document, whole or masked, in its normal form.

    Raises:
        InvalidDocument: the document can belong to nobody, or too few characters are known.
    """
    masked = read_masked(document.type, document.number, today)
    if masked is not None:
        if document.known_issuer is not None:
            raise InvalidDocument(InvalidReason.ISSUER_MISPLACED)
        return MaskedDocument(type=document.type, number=masked)
    return normalize_listed(document, today)


def invalid_document(error: InvalidDocument, under: str) -> LineRejected:
    """Return the rejection of a document that can belong to nobody, with its place and the
    reason.
    """
    return LineRejected(RejectCode.INVALID_DOCUMENT, f"{under}/{error.field}: {error}")


def rejection(error: InvalidRequest, code: RejectCode) -> LineRejected:
    """Return the rejection of a line under `code`, with the fields at fault.

    A line that is no JSON is rejected as that, whatever `code` is.
    """
    if not error.faults[0].pointer and error.faults[0].detail == "not JSON":
        return LineRejected(RejectCode.INVALID_JSON, "the line is not one JSON object")
    detail = "; ".join(f"{fault.pointer or '/'} {fault.detail}" for fault in error.faults)
    return LineRejected(code, detail)


_EXAMPLE = """\
{"id": "707091354", "case_number": "（2016）粤0882执123号", "court": "雷州市人民法院",\
 "filed_on": "2016-05-04", "published_on": "2016-07-07",\
 "party": {"type": "person", "name": "陈示例",\
 "documents": [{"type": "resident_id", "number": "440882188501010221"}]}}
"""

LISTING: Final = ListFormat(name="listing", example=_EXAMPLE.encode(), read_line=parse_listing)
