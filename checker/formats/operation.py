"""Operations as they are sent: one JSON object a line, of the kind in `op` (contract, section 5).

Lines are read strictly, as listings are: an unknown field, an unknown measure or a number with a
wrong check digit rejects the line. The ledger judges the rest: whether a listing is known, and
whose id it is.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Final

import msgspec

from checker.decoding import decode_once
from checker.domain.clock import instant_or_day, month_after
from checker.domain.document import Document, DocumentType
from checker.domain.permit import PermitKind
from checker.domain.service import ServiceType
from checker.errors import InvalidRequest
from checker.formats.distinction import DistinguishLine, UndistinguishLine
from checker.formats.feed_format import FeedFormat, Reading
from checker.formats.listing import (
    DOCUMENTS_MAX,
    Id,
    ListingLine,
    OfficerLines,
    Text,
    read_listing,
    read_officers,
    rejection,
)
from checker.formats.one_operation import OneOperation, whole_document
from checker.registry.entry import LineRejected, RejectCode
from checker.registry.operations import (
    Bind,
    Delist,
    DelistingGround,
    Fulfil,
    GrantPermit,
    List,
    Operation,
    PermitEntry,
    ReplaceOfficers,
    Retain,
    Shield,
    Unshield,
    WithdrawPermit,
)

MEASURES_MAX = 100
USES_MAX = 1_000_000
"""A larger number means any number of uses, which is written as null."""

_JOURNEYS = frozenset({ServiceType.AIR, ServiceType.RAIL})
"""The services of a permit for urgent travel."""

_ORGANIZATIONS = frozenset({DocumentType.USCC, DocumentType.ORG_CODE})


class ListLine(OneOperation, tag="list", frozen=True, kw_only=True):
    """Puts a listing in force."""

    listing: ListingLine

    def read(self, reading: Reading) -> List:
        """Return the operation. Raises LineRejected, as every `read` of a line does."""
        return List(entry=read_listing(self.listing, reading.today, "/listing"))


class DelistLine(OneOperation, tag="delist", frozen=True, kw_only=True):
    """Ends a listing; without `on`, on the day on which the line was sent."""

    listing_id: Id
    ground: DelistingGround
    on: date | None = None

    def read(self, reading: Reading) -> Delist:
        """Return the operation, with its day."""
        on = self.on or reading.sent_on
        return Delist(listing_id=self.listing_id, ground=self.ground, on=on)


class ShieldLine(OneOperation, tag="shield", frozen=True, kw_only=True):
    """Pauses a listing."""

    listing_id: Id

    def read(self, _reading: Reading) -> Shield:
        """Return the operation."""
        return Shield(listing_id=self.listing_id)


class UnshieldLine(OneOperation, tag="unshield", frozen=True, kw_only=True):
    """Ends the pause of a listing."""

    listing_id: Id

    def read(self, _reading: Reading) -> Unshield:
        """Return the operation."""
        return Unshield(listing_id=self.listing_id)


class FulfilLine(OneOperation, tag="fulfil", frozen=True, kw_only=True):
    """Starts the clock for a removal; without `on`, on the day on which the line was sent."""

    listing_id: Id
    on: date | None = None

    def read(self, reading: Reading) -> Fulfil:
        """Return the operation, with its day. A day to come is rejected."""
        on = self.on or reading.sent_on
        if on > reading.today:
            raise LineRejected(RejectCode.IN_THE_FUTURE, "/on is a day to come")
        return Fulfil(listing_id=self.listing_id, on=on)


class OfficersLine(OneOperation, tag="officers", frozen=True, kw_only=True):
    """Replaces the officers of a listing; an empty array leaves none."""

    listing_id: Id
    officers: OfficerLines

    def read(self, reading: Reading) -> ReplaceOfficers:
        """Return the operation, with normalised documents."""
        officers = read_officers(self.officers, reading.today)
        return ReplaceOfficers(listing_id=self.listing_id, officers=officers)


class RetainLine(OneOperation, tag="retain", frozen=True, kw_only=True):
    """Keeps measures after a delisting, until a day."""

    listing_id: Id
    measures: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MEASURES_MAX)]
    until: date
    basis: Text

    def read(self, reading: Reading) -> Retain:
        """Return the operation. An unknown measure is rejected."""
        for index, measure in enumerate(self.measures):
            if measure not in reading.measures:
                text = f"/measures/{index} is no measure that is known"
                raise LineRejected(RejectCode.UNKNOWN_MEASURE, text)
        return Retain(
            listing_id=self.listing_id,
            measures=tuple(sorted(set(self.measures))),
            until=self.until,
            basis=self.basis,
        )


class BindLine(OneOperation, tag="bind", frozen=True, kw_only=True):
    """States that several documents belong to one person."""

    documents: Annotated[tuple[Document, ...], msgspec.Meta(min_length=2, max_length=DOCUMENTS_MAX)]

    def read(self, reading: Reading) -> Bind:
        """Return the operation. A person's and an organization's documents are never bound."""
        documents = tuple(
            whole_document(document, reading.today, f"/documents/{index}")
            for index, document in enumerate(self.documents)
        )
        if len({document.type in _ORGANIZATIONS for document in documents}) > 1:
            text = "/documents names a person's and an organization's"
            raise LineRejected(RejectCode.INVALID_OPERATION, text)
        return Bind(documents=documents)


class PermitFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A permit. Its bounds are RFC 3339 instants, or days; a day means its beginning.

    A permit of the kind `urgent_travel` is for air and rail only, and for a month at most.
    """

    id: Id
    document: Document
    services: Annotated[tuple[ServiceType, ...], msgspec.Meta(min_length=1, max_length=50)]
    valid_from: str
    valid_until: str
    uses: Annotated[int, msgspec.Meta(ge=1, le=USES_MAX)] | None = None
    court: Text
    ground: Text
    kind: PermitKind | None = None


class PermitLine(OneOperation, tag="permit", frozen=True, kw_only=True):
    """Grants a permit."""

    permit: PermitFields

    def read(self, reading: Reading) -> GrantPermit:
        """Return the operation. Bounds or services that the kind forbids are rejected."""
        sent = self.permit
        valid_from = _instant(sent.valid_from, "valid_from")
        valid_until = _instant(sent.valid_until, "valid_until")
        if valid_until <= valid_from:
            text = "/permit/valid_until is not after its valid_from"
            raise LineRejected(RejectCode.ENDS_BEFORE_IT_STARTS, text)
        if sent.kind is PermitKind.URGENT_TRAVEL:
            _require_journey(sent.services, valid_from, valid_until)
        permit = PermitEntry(
            id=sent.id,
            document=whole_document(sent.document, reading.today, "/permit/document"),
            services=tuple(sorted(set(sent.services))),
            valid_from=valid_from,
            valid_until=valid_until,
            uses=sent.uses,
            court=sent.court,
            ground=sent.ground,
            kind=sent.kind,
        )
        return GrantPermit(permit=permit)


class WithdrawPermitLine(OneOperation, tag="withdraw_permit", frozen=True, kw_only=True):
    """Withdraws a permit."""

    permit_id: Id

    def read(self, _reading: Reading) -> WithdrawPermit:
        """Return the operation."""
        return WithdrawPermit(permit_id=self.permit_id)


OperationLine = (
    ListLine
    | DelistLine
    | ShieldLine
    | UnshieldLine
    | FulfilLine
    | OfficersLine
    | BindLine
    | PermitLine
    | WithdrawPermitLine
    | RetainLine
    | DistinguishLine
    | UndistinguishLine
)
_decoder: msgspec.json.Decoder[OperationLine] = msgspec.json.Decoder(OperationLine)


def parse_operation(line: bytes, reading: Reading) -> Operation:
    """Return the operation of one line.

    Raises:
        LineRejected: the error names the field at fault and never its value.
    """
    try:
        sent = decode_once(_decoder, line)
    except InvalidRequest as error:
        in_listing = f"{error.faults[0].pointer}/".startswith("/listing/")
        code = RejectCode.INVALID_LISTING if in_listing else RejectCode.INVALID_OPERATION
        raise rejection(error, code) from None
    return sent.read(reading)


def sent_operation(line: bytes) -> OperationLine | None:
    """Return a line as it was sent, or None for a line that is no operation and will be rejected.

    `read` of the returned line judges the contents, and may reject the line.
    """
    try:
        return decode_once(_decoder, line)
    except InvalidRequest:
        return None


def _require_journey(
    services: Iterable[ServiceType], valid_from: datetime, valid_until: datetime
) -> None:
    """Refuse a permit for urgent travel that is for other services, or for more than a month."""
    if not _JOURNEYS.issuperset(services):
        text = "/permit/services: urgent travel is by air or rail"
        raise LineRejected(RejectCode.INVALID_OPERATION, text)
    try:
        is_too_long = valid_until > month_after(valid_from)
    except OverflowError:
        is_too_long = False  # no instant is later than the month
    if is_too_long:
        text = "/permit/valid_until is more than a month after its valid_from"
        raise LineRejected(RejectCode.PERMIT_TOO_LONG, text)


def _instant(text: str, field: str) -> datetime:
    try:
        return instant_or_day(text)
    except ValueError:
        detail = f"/permit/{field} is neither an instant with its offset nor a day"
        raise LineRejected(RejectCode.INVALID_OPERATION, detail) from None


_EXAMPLE = b'{"op": "delist", "listing_id": "707091354", "ground": "fulfilled"}'

OPERATION: Final[FeedFormat[Operation]] = FeedFormat(
    name="changes", example=_EXAMPLE, read_line=parse_operation
)
