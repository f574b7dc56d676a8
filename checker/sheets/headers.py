"""Reads one header into the meaning of its column. `checker.sheets.header_words` has the words."""

import re
from typing import Final

import msgspec

from checker.sheets.documents import Kinds, folded, kinds_of_header, names_number
from checker.sheets.header_words import (
    FIELDS,
    LEGS,
    PERSONS,
    SERVICE_FIELDS,
    ServiceColumn,
    SheetField,
    SheetPerson,
)

HEADER_LENGTH_MAX: Final = 60
"""A longer text is a note, not a header."""

_BRACKETS = re.compile(r"[(\[【〔{][^)\]】〕}]*[)\]】〕}]")
_LATIN = re.compile(r"[a-z]+")
_PERSONS_LONGEST_FIRST: Final = sorted(PERSONS, key=len, reverse=True)
_UNITS_IN_FEN: Final = {"fen": 1, "分": 1, "元": 100, "yuan": 100, "cny": 100, "万元": 1_000_000}
YUAN: Final = 100


class SheetColumn(msgspec.Struct, frozen=True, kw_only=True):
    """The meaning of a column. `index` counts from 0, and `header` is the text of the sheet.

    `person` is None where the header names nobody. `kinds` are the documents of a column of
    numbers; empty: another column names the kind. `is_certain` is False for `身份证` and the like:
    a row of people may hold such a word too. `unit_fen` is the unit of an amount.
    """

    index: int
    header: str
    person: SheetPerson | None = None
    field: SheetField | None = None
    kinds: Kinds = ()
    is_certain: bool = True
    service: ServiceColumn | None = None
    leg: str = ""
    unit_fen: int = YUAN


def read_header(index: int, header: str) -> SheetColumn | None:
    """Return the meaning of a column; None: the header has no known meaning."""
    if not header or len(header) > HEADER_LENGTH_MAX:
        return None
    text = folded(header)
    plain = _BRACKETS.sub("", text)
    # `姓名 Name` is a header in two languages, and the Chinese one counts.
    chinese = _LATIN.sub("", plain).strip("/|-.,")
    for words in (plain, chinese):
        column = _service_column(index, header, text, words) or _person_column(index, header, words)
        if column is not None:
            return column
    return None


def person_named(header: str) -> SheetPerson | None:
    """Return the person that a header above others names; None: the header names nobody."""
    text = _BRACKETS.sub("", folded(header))
    text = text.removesuffix("信息").removesuffix("资料").removesuffix("details")
    return PERSONS.get(text)


def _service_column(index: int, header: str, text: str, plain: str) -> SheetColumn | None:
    leg = next((leg for leg in LEGS if plain.startswith(leg)), "")
    service = SERVICE_FIELDS.get(plain.removeprefix(leg))
    if service is None:
        return None
    return SheetColumn(index=index, header=header, service=service, leg=leg, unit_fen=_unit(text))


def _unit(text: str) -> int:
    """Return the unit of an amount in fen. `text` is the folded header with its brackets."""
    if text.endswith("fen"):
        return 1
    for bracket in _BRACKETS.findall(text):
        unit = bracket[1:-1].removeprefix("单位").removeprefix("人民币")
        unit = unit.removesuffix("/年").removesuffix("/学年")
        if unit in _UNITS_IN_FEN:
            return _UNITS_IN_FEN[unit]
    return YUAN


def _person_column(index: int, header: str, plain: str) -> SheetColumn | None:
    whole = _field_column(index, header, plain, None)
    if whole is not None:
        return whole
    word = next((word for word in _PERSONS_LONGEST_FIRST if plain.startswith(word)), None)
    if word is None:
        return None
    rest = plain.removeprefix(word).removeprefix("的").lstrip("-/.")
    person = PERSONS[word]
    if not rest:
        return SheetColumn(
            index=index, header=header, person=person, field=SheetField.NAME, is_certain=False
        )
    # The fold has made `guardianspassport` of `guardian's passport`.
    found = _field_column(index, header, rest, person)
    return found or _field_column(index, header, rest.removeprefix("s"), person)


def _field_column(
    index: int, header: str, text: str, person: SheetPerson | None
) -> SheetColumn | None:
    field = FIELDS.get(text)
    if field is not None:
        return SheetColumn(index=index, header=header, person=person, field=field)
    kinds = kinds_of_header(text)
    if kinds is None:
        return None
    return SheetColumn(
        index=index,
        header=header,
        person=person,
        field=SheetField.NUMBER,
        kinds=kinds,
        is_certain=names_number(text),
    )
