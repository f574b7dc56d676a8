"""The id that a record of the platform got before decision 0045: made of the text as it was sent.

A list from before the upgrade holds such ids. Decisions, permits of retention and notices name
them, so a listing keeps its id. The rules here are those of that time, and never change.
"""

import re
import unicodedata
from datetime import date

import msgspec

from checker.decoding import decode
from checker.domain.text import without_spaces
from checker.errors import InvalidRequest
from checker.formats.feed_format import Reading

_decoder = msgspec.json.Decoder(dict[str, object])
_PARTY_TYPES = {"0": "person", "580": "person", "1": "organization", "581": "organization"}
_DATE = re.compile(r"^(\d{4})(?:年(\d{1,2})月(\d{1,2})日|-(\d{1,2})-(\d{1,2})|(\d\d)(\d\d))$")
_DOTS = dict.fromkeys(map(ord, "\u2022\u2027\u30fb\u2219\u22c5\u2e31."), "\u00b7")


def former_zxgk_id(line: bytes, reading: Reading) -> str | None:
    """Return the id that the record of a line had, or None if it was no listing then."""
    try:
        record = decode(_decoder, line)
        published_on = _date(_text(record.get("publishDate")))
    except (InvalidRequest, ValueError):
        return None
    party_type = _PARTY_TYPES.get(_text(record.get("partyTypeName")))
    if party_type is None:
        return None
    words = (
        _clean(record.get("courtName")),
        _case_number(_clean(record.get("caseCode"))),
        party_type,
        _name(_clean(record.get("iname"))),
        _text(record.get("cardNum")),
        str(published_on),
    )
    return reading.identify("\n".join(words))


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    return "" if text == "暂无" else text


def _clean(value: object) -> str:
    return re.sub(r"\s*[\r\n\0]+\s*", "", _text(value))


def _case_number(text: str) -> str:
    narrow = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s", "", narrow).translate(str.maketrans("()〔〕[]", "（）（）（）"))


def _name(text: str) -> str:
    folded = _fold(text)
    while folded != text:
        text, folded = folded, _fold(folded)
    return folded


def _fold(text: str) -> str:
    spaced = unicodedata.normalize("NFKC", text).translate(_DOTS)
    return unicodedata.normalize("NFKC", without_spaces(spaced).casefold())


def _date(text: str) -> date | None:
    bare = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    if not bare:
        return None
    if not (match := _DATE.match(bare)):
        raise ValueError
    year, month, day = (int(part) for part in match.groups() if part)
    return date(year, month, day)
