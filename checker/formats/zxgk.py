"""The record that the courts' publication platform (失信被执行人信息公布平台) uses.

Records vary. Fields that the contract's section 5 does not name are ignored. `暂无` and the empty
text mean that nothing is known. Dates have two shapes, and brackets of case numbers have two
widths. Only fields that decide, or that are shown to a person, are kept. The record has no id of
the listing, so the id is derived from court, case, party and day of publication.

An officer with an unreadable title or number is kept as unresolved and never guessed. Such an
officer reaches nobody, and is counted.
"""

import re
import unicodedata
from datetime import date
from typing import Final

import msgspec

from checker.decoding import decode
from checker.domain.document import Document, DocumentType
from checker.domain.errors import InvalidDocument
from checker.domain.name import normalize_name
from checker.domain.role import Role
from checker.domain.text import compact
from checker.errors import InvalidRequest
from checker.formats.feed_format import ListFormat, Reading
from checker.formats.listing import (
    NAME_LENGTH_MAX,
    OFFICERS_MAX,
    TEXT_LENGTH_MAX,
    read_document,
)
from checker.registry.entry import (
    Holder,
    LineRejected,
    ListingEntry,
    MaskedDocument,
    OfficerEntry,
    PartyType,
    RejectCode,
)

# 二（七）names four kinds of officers. The platform's titles are compared, the most exact first.
TITLES: tuple[tuple[str, Role], ...] = (
    ("实际控制人", Role.ACTUAL_CONTROLLER),
    ("直接责任人", Role.DIRECTLY_RESPONSIBLE),
    ("法定代表人", Role.LEGAL_REPRESENTATIVE),
    ("法人代表", Role.LEGAL_REPRESENTATIVE),
    ("负责人", Role.PRINCIPAL),
)
PARTY_TYPES = {
    "0": PartyType.PERSON,
    "580": PartyType.PERSON,
    "1": PartyType.ORGANIZATION,
    "581": PartyType.ORGANIZATION,
}
_NOTHING_KNOWN = frozenset({"", "暂无"})
_ORG_CODE_LENGTH = 9
# Documents of people without a resident ID. A number of any other shape is not guessed.
_TRAVEL_DOCUMENTS = (
    (re.compile(r"[HM](?:[0-9]{8}|[0-9]{10})"), DocumentType.HK_MACAO_PERMIT),
    (re.compile(r"[A-Z]{1,2}[0-9]{7,8}"), DocumentType.PASSPORT),
)
_DATE = re.compile(r"^(\d{4})(?:年(\d{1,2})月(\d{1,2})日|-(\d{1,2})-(\d{1,2})|(\d\d)(\d\d))$")


class Record(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "name": "iname",
        "case_number": "caseCode",
        "number": "cardNum",
        "legal_representative": "businessEntity",
        "court": "courtName",
        "party_type": "partyTypeName",
        "filed_on": "regDate",
        "published_on": "publishDate",
        "officers": "qysler",
    },
):
    """The fields that are read. Each may be missing or of any type."""

    name: object = None
    case_number: object = None
    number: object = None
    legal_representative: object = None
    court: object = None
    party_type: object = None
    filed_on: object = None
    published_on: object = None
    officers: object = None


_decoder = msgspec.json.Decoder(Record)


def parse_zxgk(line: bytes, reading: Reading) -> ListingEntry:
    """Return the listing of one record.

    Raises:
        LineRejected: name, case, court or party type is missing, or no check could find anybody.
    """
    try:
        record = decode(_decoder, line)
    except InvalidRequest as error:
        code = RejectCode.INVALID_JSON
        raise LineRejected(code, f"the line is no record: {error.faults[0].detail}") from None
    today = reading.today
    party_type = PARTY_TYPES.get(_text(record.party_type))
    if party_type is None:
        raise LineRejected(RejectCode.INVALID_LISTING, "partyTypeName is none that is known")
    name = _needed(record.name, "iname", NAME_LENGTH_MAX)
    case_number = _case_number(_needed(record.case_number, "caseCode", TEXT_LENGTH_MAX))
    court = _needed(record.court, "courtName", TEXT_LENGTH_MAX)
    published_on = _date(record.published_on, "publishDate")
    officers: tuple[OfficerEntry, ...] = ()
    if party_type is PartyType.ORGANIZATION:
        officers = _officers(record, today)
    party = Holder(
        name=name, documents=_party_documents(record.number, party_type, today, officers)
    )
    identity = "\n".join(
        (
            court,
            case_number,
            party_type,
            normalize_name(name),
            _text(record.number),
            str(published_on),
        )
    )
    return ListingEntry(
        id=reading.identify(identity),
        case_number=case_number,
        court=court,
        filed_on=_date(record.filed_on, "regDate"),
        published_on=published_on,
        expires_on=None,
        public=True,
        party_type=party_type,
        party=party,
        officers=officers,
    )


def _party_documents(
    number: object, party_type: PartyType, today: date, officers: tuple[OfficerEntry, ...]
) -> tuple[Document | MaskedDocument, ...]:
    """Return the party's document. A company without one is accepted if it reaches its officers."""
    text = _text(number)
    reaches_officers = any(officer.resolved for officer in officers)
    if not text:
        if reaches_officers:
            return ()
        raise LineRejected(RejectCode.NOBODY_REACHED, "cardNum is missing")
    try:
        return (_document(text, party_type, today),)
    except InvalidDocument as error:
        if reaches_officers:
            return ()
        raise LineRejected(RejectCode.INVALID_DOCUMENT, f"cardNum: {error}") from None


def _document(text: str, party_type: PartyType, today: date) -> Document | MaskedDocument:
    bare = compact(text)
    if party_type is PartyType.ORGANIZATION:
        kind = DocumentType.ORG_CODE if len(bare) == _ORG_CODE_LENGTH else DocumentType.USCC
    else:
        kinds = (kind for form, kind in _TRAVEL_DOCUMENTS if form.fullmatch(bare))
        kind = next(kinds, DocumentType.RESIDENT_ID)
    return read_document(Document(type=kind, number=bare), today)


def _officers(record: Record, today: date) -> tuple[OfficerEntry, ...]:
    members = record.officers if isinstance(record.officers, list) else []
    if len(members) > OFFICERS_MAX:
        raise LineRejected(RejectCode.INVALID_LISTING, f"qysler has more than {OFFICERS_MAX}")
    entries = []
    named = set()
    for member in members:
        if not isinstance(member, dict):
            continue
        name = _text(member.get("iname"))[:NAME_LENGTH_MAX]
        if not name:
            continue
        named.add(normalize_name(name))
        holder = Holder(name=name, documents=_officer_documents(member.get("cardNum"), today))
        entries.append(OfficerEntry(role=_role(member.get("corporationtypename")), holder=holder))
    representative = _text(record.legal_representative)[:NAME_LENGTH_MAX]
    if representative and normalize_name(representative) not in named:
        holder = Holder(name=representative, documents=())
        entries.append(OfficerEntry(role=Role.LEGAL_REPRESENTATIVE, holder=holder))
    return tuple(entries)


def _officer_documents(number: object, today: date) -> tuple[Document | MaskedDocument, ...]:
    text = _text(number)
    if not text:
        return ()
    try:
        return (_document(text, PartyType.PERSON, today),)
    except InvalidDocument:
        return ()


def _role(title: object) -> Role | None:
    text = _text(title)
    return next((role for words, role in TITLES if words in text), None)


def _text(value: object) -> str:
    """Return a text or a number as text; a value that means nothing is the empty text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    return "" if text in _NOTHING_KNOWN else text


def _needed(value: object, field: str, length_max: int) -> str:
    # PostgreSQL keeps no NUL in a text.
    text = re.sub(r"\s*[\r\n\0]+\s*", "", _text(value))
    if not text:
        raise LineRejected(RejectCode.INVALID_LISTING, f"{field} is missing")
    if len(text) > length_max:
        raise LineRejected(RejectCode.INVALID_LISTING, f"{field} is over {length_max} characters")
    return text


def _case_number(text: str) -> str:
    """Return a case number with full-width brackets, as courts write them, and half-width
    digits.
    """
    narrow = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s", "", narrow).translate(str.maketrans("()〔〕[]", "（）（）（）"))


def _date(value: object, field: str) -> date | None:
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", _text(value)))
    if not text:
        return None
    if not (match := _DATE.match(text)):
        raise LineRejected(RejectCode.INVALID_LISTING, f"{field} is not a date")
    try:
        year, month, day = (int(part) for part in match.groups() if part)
        return date(year, month, day)
    except ValueError:
        raise LineRejected(RejectCode.INVALID_LISTING, f"{field} is not a date") from None


_EXAMPLE = """\
{"iname": "陈示例", "caseCode": "（2016）粤0882执123号", "cardNum": "440882188501010221",\
 "courtName": "雷州市人民法院", "partyTypeName": "580", "regDate": "2016年05月04日",\
 "publishDate": "2016年07月07日"}
"""

ZXGK: Final = ListFormat(
    name="zxgk", example=_EXAMPLE.encode(), read_line=parse_zxgk, owns_ids=True
)
