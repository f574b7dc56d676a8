"""The platform's list of orders that restrict consumption (限制消费令): listings of that kind.

| field      | meaning                                                   | needed                  |
|------------|-----------------------------------------------------------|-------------------------|
| `XM`       | the restricted person                                     | without an entity       |
| `QY_MC`    | the entity                                                | no                      |
| `QY_DM`    | its uscc or organization code                             | if nobody else is named |
| `AH`       | the number of the case                                    | yes                     |
| `LASJStr`  | the day of filing                                         | no                      |
| `ZXFYMC`   | the court                                                 | yes                     |
| `IDNUMBER` | the person's number, whole or masked; most rows have none | no                      |
| `FILEPATH` | the order as a file; not kept                             | no                      |

A row with an entity is an order against the entity. The order binds the named person too
(法释〔2015〕17号, article 3, paragraph 2). The row does not state the person's role. The platform
names the legal representative there, so this is the person's role here (decision 0045).

A row without an entity is an order against the person. Without a number the person cannot be found:
such a row is accepted, reaches nobody, and is counted as unresolved.
"""

import re
from collections.abc import Iterator
from typing import Final

from checker.domain.listing_kind import ListingKind
from checker.domain.name import normalize_name
from checker.domain.role import Role
from checker.formats.feed_format import ListFormat, Reading
from checker.formats.platform_record import RecordFields, with_own_id
from checker.formats.record_officers import NamedOfficer, members_of
from checker.registry.entry import (
    Holder,
    LineRejected,
    ListingEntry,
    OfficerEntry,
    PartyType,
    RejectCode,
)

_FIELDS: Final = ("XM", "QY_MC", "QY_DM", "AH", "LASJStr", "ZXFYMC", "IDNUMBER")
_BETWEEN_NUMBERS = re.compile(r"[、,，;；/|\s]+")


def parse_xgl(line: bytes, reading: Reading) -> ListingEntry:
    """Return the order of one row.

    Raises:
        LineRejected: case or court is missing, the row names nobody, the only number cannot be
            read, or the row names a person under 18.
    """
    record = RecordFields(line, _FIELDS, reading)
    person, entity = record.name("XM"), record.name("QY_MC")
    if not (person or entity):
        raise LineRejected(RejectCode.INVALID_LISTING, "XM and QY_MC are missing")
    has_entity = bool(entity or record.text("QY_DM"))
    party, party_type, officers = (_of_entity if has_entity else _of_person)(record)
    entry = ListingEntry(
        id="",
        case_number=record.case_number("AH"),
        court=record.court("ZXFYMC"),
        filed_on=record.day("LASJStr"),
        published_on=None,
        expires_on=None,
        public=True,
        party_type=party_type,
        party=party,
        officers=officers,
        kind=ListingKind.CONSUMPTION_ORDER,
    )
    return with_own_id(entry, reading.identify)


_Parts = tuple[Holder, PartyType, tuple[OfficerEntry, ...]]


def _of_entity(record: RecordFields) -> _Parts:
    entity = record.name("QY_MC")
    officers = record.officers(_persons(record, entity), "IDNUMBER", role=Role.LEGAL_REPRESENTATIVE)
    is_needed = not officers or (
        bool(record.text("QY_DM")) and not any(officer.resolved for officer in officers)
    )
    code = record.party_number("QY_DM", PartyType.ORGANIZATION)
    documents = record.party_documents("QY_DM", code, is_needed=is_needed)
    return Holder(name=entity, documents=documents), PartyType.ORGANIZATION, officers


def _of_person(record: RecordFields) -> _Parts:
    number = record.party_number("IDNUMBER", PartyType.PERSON)
    documents = record.party_documents("IDNUMBER", number, is_needed=number is not None)
    party_type = PartyType.PERSON if number is None else number.certain or PartyType.PERSON
    return Holder(name=record.name("XM"), documents=documents), party_type, ()


def _persons(record: RecordFields, entity: str) -> Iterator[NamedOfficer]:
    """Yield the persons of a row with their numbers. The entity itself is none of them.

    Numbers belong to names in their order. If there are not as many numbers as names, no number is
    used: whose number it is would be a guess.
    """
    members = [*members_of(record.raw("XM"))]
    persons = [one for one in members if normalize_name(one.name) != normalize_name(entity)]
    numbers = [number for number in _BETWEEN_NUMBERS.split(record.text("IDNUMBER")) if number]
    if numbers and len(numbers) != len(persons):
        record.reading.drop("IDNUMBER")
    for index, one in enumerate(persons):
        number = numbers[index] if len(numbers) == len(persons) else one.number
        yield NamedOfficer(one.name, number, one.title)


_EXAMPLE = """\
{"XM": "陈示例", "QY_MC": "", "QY_DM": "", "AH": "（2019）粤0882执321号",\
 "LASJStr": "2019年12月02日", "ZXFYMC": "雷州市人民法院", "FILEPATH": "",\
 "IDNUMBER": "440882188501010221"}
"""


def _no_former_id(_line: bytes, _reading: Reading) -> None:
    """Return None: the format is younger than decision 0045."""


XGL: Final = ListFormat(
    name="xgl", example=_EXAMPLE.encode(), read_line=parse_xgl, former_id=_no_former_id
)
