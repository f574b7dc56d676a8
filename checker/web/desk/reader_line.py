"""The text that a reader types into the field for the number: number, name and issuer are read.

Three forms are read:

    number   digits and letters, as a person types them
    card     the fields of a card with `|` between them: 姓名|性别|民族|出生|住址|公民身份号码|…
    zone     the machine-readable zone of a passport (TD3: 2 lines of 44 characters) or of a travel
             permit (TD1: 3 lines of 30), with or without line breaks; ICAO Doc 9303, parts 3 to 5

Everything else in the text is dropped here. A text that a reader has garbled is refused: it must
never become another person's number.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.document import DocumentType
from checker.domain.text import compact

BAR: Final = "|"
TD3_LINE: Final = 44
TD1_LINE: Final = 30
FILLER: Final = "<"

_CARD_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}|[A-Z]{3}[0-9]{12}")
_MOBILE: Final = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}")
_ZONE_START: Final = re.compile(r"(?:P[A-Z<]|[ACI][A-Z0-9<])[A-Z<]{3}")
_ZONE: Final = re.compile(r"[A-Z0-9<]+")
_PERMITS: Final = (
    (re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?|[HM]A[0-9]{7}"), DocumentType.HK_MACAO_PERMIT),
    (re.compile(r"[0-9]{8}"), DocumentType.TAIWAN_PERMIT),
    (re.compile(r"[CW][A-Z0-9][0-9]{7}"), DocumentType.EXIT_ENTRY_PERMIT),
)
"""A travel permit is known by the form of its number, because its code is published nowhere."""

_WEIGHTS: Final = (7, 3, 1)
_VALUES: Final = {
    FILLER: 0,
    **{character: int(character, 36) for character in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
}
_ISSUERS: Final = {"D": "DEU"}
"""Doc 9303 part 3, section 5: the only issuer whose code is not of ISO 3166-1 alpha-3."""

_CHINA: Final = "CHN"


class ReaderFault(StrEnum):
    """A text that is no number of a document, and what seems to have happened."""

    TWICE = "twice"
    HALF = "half"
    PHONE = "phone"
    NAME = "name"
    NO_NUMBER = "no_number"
    TWO_NUMBERS = "two_numbers"
    ZONE_CUT = "zone_cut"
    ZONE_CHECK_DIGIT = "zone_check_digit"
    ZONE_KIND = "zone_kind"


class UnreadableLine(ValueError):
    """A text that no reader types for one document. The error never holds the text."""

    def __init__(self, fault: ReaderFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class GuestReading(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a text that are kept. None: the text does not have this part."""

    number: str
    name: str | None = None
    type: DocumentType | None = None
    issuer: str | None = None

    def __repr__(self) -> str:
        return f"GuestReading(type={self.type!r})"


def read_line(text: str) -> GuestReading:
    """Return what a reader, or a person, typed into the field for the number.

    Raises:
        UnreadableLine: the text has no number, more than one, or a garbled zone.
    """
    line = text.replace("｜", BAR).strip()
    if BAR in line:
        return _read_card(line.split(BAR))
    zone = "".join(line.split()).upper()
    if FILLER in zone or (_ZONE_START.match(zone) and len(zone) >= TD1_LINE):
        return _read_zone(zone)
    if _MOBILE.fullmatch(compact(line)):
        raise UnreadableLine(ReaderFault.PHONE)
    return GuestReading(number=line)


def likely_fault(number: str, kind: DocumentType | None) -> ReaderFault | None:
    """Return the likely fault of a reader behind a number that is invalid; None: a typing error."""
    text = compact(number)
    middle = len(text) // 2
    if len(text) >= TD1_LINE // 3 and len(text) % 2 == 0 and text[:middle] == text[middle:]:
        return ReaderFault.TWICE
    if text and not any(character.isdigit() for character in text):
        return ReaderFault.NAME
    if kind is DocumentType.RESIDENT_ID and text.isdigit() and len(text) < 15:
        return ReaderFault.HALF
    return None


def _read_card(fields: list[str]) -> GuestReading:
    found = {
        number
        for number in map(compact, fields)
        if number.isascii() and _CARD_NUMBER.fullmatch(number)
    }
    if len(found) != 1:
        raise UnreadableLine(ReaderFault.TWO_NUMBERS if found else ReaderFault.NO_NUMBER)
    [number] = found
    name = fields[0].strip()
    is_name = bool(name) and not any(character.isdigit() for character in name)
    return GuestReading(
        number=number,
        name=name if is_name else None,
        type=DocumentType.FOREIGN_PERMANENT_RESIDENT_ID
        if number[0].isalpha()
        else DocumentType.RESIDENT_ID,
    )


def _read_zone(zone: str) -> GuestReading:
    if not _ZONE.fullmatch(zone):
        raise UnreadableLine(ReaderFault.ZONE_CUT)
    if zone[0] == "P" and len(zone) == 2 * TD3_LINE:
        return _read_td3(zone[:TD3_LINE], zone[TD3_LINE:])
    if zone[0] in "ACI" and len(zone) == 3 * TD1_LINE:
        return _read_td1(zone[:TD1_LINE], zone[TD1_LINE : 2 * TD1_LINE], zone[2 * TD1_LINE :])
    raise UnreadableLine(ReaderFault.ZONE_CUT)


def _read_td3(upper: str, lower: str) -> GuestReading:
    """Return the reading of a passport (Doc 9303 part 4, section 4.2)."""
    _verify(lower[:9], lower[9])
    _verify(lower[13:19], lower[19])
    _verify(lower[21:27], lower[27])
    # An unused personal number may have a filler for its check digit.
    _verify(lower[28:42], lower[42])
    _verify(lower[:10] + lower[13:20] + lower[21:43], lower[43])
    return GuestReading(
        number=lower[:9].rstrip(FILLER),
        name=_name_of(upper[5:]),
        type=DocumentType.PASSPORT,
        issuer=_issuer_of(upper[2:5]),
    )


def _read_td1(upper: str, middle: str, lower: str) -> GuestReading:
    """Return the reading of a travel permit (Doc 9303 part 5, section 4.2)."""
    number, digit = upper[5:14], upper[14]
    if digit == FILLER:
        # The number goes on in the optional data, and its check digit stands at the end.
        rest = upper[15:].partition(FILLER)[0]
        if rest:
            number, digit = number + rest[:-1], rest[-1]
    _verify(number, digit)
    _verify(middle[:6], middle[6])
    _verify(middle[8:14], middle[14])
    _verify(upper[5:] + middle[:7] + middle[8:15] + middle[18:29], middle[29])
    number = number.rstrip(FILLER)
    kind = next((kind for form, kind in _PERMITS if form.fullmatch(number)), None)
    if kind is None or _issuer_of(upper[2:5]) != _CHINA:
        raise UnreadableLine(ReaderFault.ZONE_KIND)
    return GuestReading(number=number, name=_name_of(lower), type=kind, issuer=_CHINA)


def _verify(data: str, digit: str) -> None:
    """Prove the check digit of a part of a zone (Doc 9303 part 3, section 4.9)."""
    total = sum(_VALUES[each] * _WEIGHTS[place % 3] for place, each in enumerate(data))
    if digit == FILLER and not data.strip(FILLER):
        return
    if digit != str(total % 10):
        raise UnreadableLine(ReaderFault.ZONE_CHECK_DIGIT)


def _issuer_of(code: str) -> str | None:
    state = code.rstrip(FILLER)
    state = _ISSUERS.get(state, state)
    return state if len(state) == 3 and state.isalpha() else None


def _name_of(field: str) -> str | None:
    """Return the name of a zone; None: there is none, or the field may have cut the name."""
    if not field.endswith(FILLER):
        return None
    return " ".join(field.replace(FILLER, " ").split()) or None
