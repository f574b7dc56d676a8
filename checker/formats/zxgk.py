"""The record that the courts' publication platform (失信被执行人信息公布平台) uses.

Records vary, because many programs have exported them. Fields that the contract's section 5 does
not name are ignored. Only fields that decide, or that are shown to a person, are kept.

| field                       | if it cannot be read                                               |
|-----------------------------|--------------------------------------------------------------------|
| `iname` `caseCode` `courtName` | the line is rejected                                            |
| `partyTypeName`             | the number decides, if it is certain; else the line is rejected    |
| `cardNum`                   | the line is rejected, unless an officer of the company is reached  |
| `qysler` `businessEntity`   | the officer is unresolved, and is counted                          |
| `regDate` `publishDate`     | the date is dropped and counted                                    |

The record has no id of the listing, so the id is derived (`checker.registry.identity`).
"""

import re
from itertools import chain
from typing import Final

from checker.domain.role import Role
from checker.formats.feed_format import ListFormat, Reading
from checker.formats.former_identity import former_zxgk_id
from checker.formats.loose_text import folded_text
from checker.formats.platform_record import RecordFields, joined_officers, with_own_id
from checker.formats.record_numbers import PartyNumber
from checker.formats.record_officers import members_of
from checker.registry.entry import (
    Holder,
    LineRejected,
    ListingEntry,
    OfficerEntry,
    PartyType,
    RejectCode,
)

PARTY_TYPES = {
    "0": PartyType.PERSON,
    "580": PartyType.PERSON,
    "1": PartyType.ORGANIZATION,
    "581": PartyType.ORGANIZATION,
}
# The first word that a text holds counts: 非自然人组织 and 个人独资企业 are organizations.
_PARTY_WORDS = (
    ("非自然人", PartyType.ORGANIZATION),
    ("自然人", PartyType.PERSON),
    ("法人", PartyType.ORGANIZATION),
    ("组织", PartyType.ORGANIZATION),
    ("企业", PartyType.ORGANIZATION),
    ("公司", PartyType.ORGANIZATION),
    ("单位", PartyType.ORGANIZATION),
    ("机构", PartyType.ORGANIZATION),
    ("个人", PartyType.PERSON),
    ("organi", PartyType.ORGANIZATION),
    ("company", PartyType.ORGANIZATION),
    ("person", PartyType.PERSON),
)
_FIELDS: Final = (
    "iname",
    "caseCode",
    "cardNum",
    "businessEntity",
    "courtName",
    "partyTypeName",
    "regDate",
    "publishDate",
    "qysler",
)


def parse_zxgk(line: bytes, reading: Reading) -> ListingEntry:
    """Return the listing of one record.

    Raises:
        LineRejected: name, case, court or party type is missing, no check could find anybody, or
            the record names a person under 18.
    """
    record = RecordFields(line, _FIELDS, reading)
    party_type, number = _party(record)
    name = record.name("iname")
    if not name:
        raise LineRejected(RejectCode.INVALID_LISTING, "iname is missing")
    case_number, court = record.case_number("caseCode"), record.court("courtName")
    officers = _officers(record)
    if officers and party_type is PartyType.PERSON:
        reading.drop("qysler")
        officers = ()
    is_needed = not any(officer.resolved for officer in officers)
    entry = ListingEntry(
        id="",
        case_number=case_number,
        court=court,
        filed_on=record.day("regDate"),
        published_on=record.day("publishDate"),
        expires_on=None,
        public=True,
        party_type=party_type,
        party=Holder(
            name=name,
            documents=record.party_documents("cardNum", number, is_needed=is_needed),
        ),
        officers=officers,
    )
    return with_own_id(entry, reading.identify)


def _party(record: RecordFields) -> tuple[PartyType, PartyNumber | None]:
    """Return the type of the party, and its number. A number that is certain decides the type.

    A company that names officers stays a company also with a person's number, because the officers
    must be reached.
    """
    declared = _declared_type(record.raw("partyTypeName"))
    number = record.party_number("cardNum", declared)
    certain = None if number is None else number.certain
    if certain is None or certain is declared:
        if declared is None:
            raise LineRejected(RejectCode.INVALID_LISTING, "partyTypeName is none that is known")
        return declared, number
    record.reading.drop("partyTypeName")
    if declared is PartyType.ORGANIZATION:
        named = (members_of(record.raw(field)) for field in ("qysler", "businessEntity"))
        return declared if any(chain.from_iterable(named)) else certain, number
    return certain, number


def _declared_type(value: object) -> PartyType | None:
    if isinstance(value, str) and value in PARTY_TYPES:  # as nearly always
        return PARTY_TYPES[value]
    if isinstance(value, (bool, dict)):
        return None
    text = folded_text(str(value[0] if isinstance(value, list) and value else value))
    known = PARTY_TYPES.get(re.sub(r"\.0*$", "", text))
    if known is None:
        known = next((kind for word, kind in _PARTY_WORDS if word in text), None)
    return known


def _officers(record: RecordFields) -> tuple[OfficerEntry, ...]:
    """Return the officers, and the legal representative if he does not stand among them."""
    officers = record.officers(members_of(record.raw("qysler")), "qysler")
    representatives = record.officers(
        members_of(record.raw("businessEntity")),
        "businessEntity",
        role=Role.LEGAL_REPRESENTATIVE,
    )
    return joined_officers(officers, representatives)


_EXAMPLE = """\
{"iname": "陈示例", "caseCode": "（2016）粤0882执123号", "cardNum": "440882188501010221",\
 "courtName": "雷州市人民法院", "partyTypeName": "580", "regDate": "2016年05月04日",\
 "publishDate": "2016年07月07日"}
"""

ZXGK: Final = ListFormat(
    name="zxgk", example=_EXAMPLE.encode(), read_line=parse_zxgk, former_id=former_zxgk_id
)
