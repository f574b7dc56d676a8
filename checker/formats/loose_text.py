"""Reads texts of records that many programs have exported, each in its own way.

A value that means nothing (`暂无`, `--`, `null`) is the empty text. Nothing here raises.
"""

import re
import unicodedata
from typing import Final

from checker.domain.text import without_spaces

_NOTHING_KNOWN: Final = frozenset(
    {
        "暂无",
        "无",
        "空",
        "不详",
        "未知",
        "null",
        "none",
        "nan",
        "n/a",
        "undefined",
    }
)
_NOTHING_LENGTH_MAX = 12
"""The longest word has nine characters, and may stand between spaces."""
_MARKS_ALONE = re.compile(r"[-‐-―−_/\\.。、，,;；:：?？]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_IDEOGRAPH = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SPACE_AT_IDEOGRAPH = re.compile(rf"(?<=[{_IDEOGRAPH}])\s+|\s+(?=[{_IDEOGRAPH}])")


def read_text(value: object) -> str:
    """Return a text or a number as text, without spaces around it.

    A list of one member is read as this member, as converters of XML write it. The text is empty
    for a value of another type, and for a value that means nothing.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    text = str(value).strip()
    return "" if means_nothing(text) else text


def means_nothing(text: str) -> bool:
    """Return whether a text says that nothing is known."""
    if len(text) > _NOTHING_LENGTH_MAX and text[-1].isalnum():
        return False
    if text.isalnum():
        return unicodedata.normalize("NFKC", text).casefold() in _NOTHING_KNOWN
    folded = folded_text(text)
    return folded in _NOTHING_KNOWN or _MARKS_ALONE.fullmatch(folded) is not None


def folded_text(text: str) -> str:
    """Return a text for comparisons: half width, small letters, no spaces, no controls."""
    return without_spaces(_CONTROLS.sub("", unicodedata.normalize("NFKC", text)).casefold())


def name_text(value: object) -> str:
    """Return a name as a person reads it: no line breaks, and no spaces beside an ideograph."""
    text = read_text(value)
    if text.isalnum():
        return text
    lines = "".join(line.strip() for line in _CONTROLS.split(text))
    return _SPACE_AT_IDEOGRAPH.sub("", " ".join(lines.split()))


def court_text(value: object) -> str:
    """Return the name of a court without any space."""
    text = read_text(value)
    return text if text.isalnum() else without_spaces(_CONTROLS.sub("", text))
