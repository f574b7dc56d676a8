"""Reads the officers of a record of the courts' platform, in every shape that exporters write.

A field holds a list of objects, one object, a text that holds either of them, or names alone:

| value                                                  | officers                            |
|--------------------------------------------------------|-------------------------------------|
| `[{"iname": …, "cardNum": …, "corporationtypename": …}]` | one for each object               |
| an object with such keys, in any case                  | one                                 |
| an object or a list around others                      | those inside                        |
| a text of JSON, also escaped or in Python's spelling   | those in the JSON                   |
| any other text, `李示例、王示例（负责人）`               | one for each name                   |
| anything else                                          | one without a name, never found     |

An officer with an unreadable title or number reaches nobody and is counted as unresolved. Nothing
is guessed, and nothing is dropped.
"""

import ast
import html
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from checker.domain.errors import InvalidDocument
from checker.domain.role import Role
from checker.formats.listing import NAME_LENGTH_MAX
from checker.formats.loose_text import folded_text, means_nothing, name_text, read_text
from checker.formats.record_numbers import ListedDocument, read_personal_number

# 二（七）names four kinds of officers. The platform's titles are compared, the most exact first.
TITLES: tuple[tuple[str, Role], ...] = (
    ("实际控制人", Role.ACTUAL_CONTROLLER),
    ("直接责任人", Role.DIRECTLY_RESPONSIBLE),
    ("法定代表人", Role.LEGAL_REPRESENTATIVE),
    ("法人代表", Role.LEGAL_REPRESENTATIVE),
    ("负责人", Role.PRINCIPAL),
)
# Short for 法定代表人 where it stands alone; within another title it means a legal person.
_LEGAL_REPRESENTATIVE_ALONE = "法人"

_NAME_KEYS = ("iname", "name", "xm", "姓名", "名称")
_NUMBER_KEYS = (
    "cardnum",
    "cardno",
    "cardnumber",
    "idcard",
    "idcardno",
    "idcardnum",
    "idnumber",
    "idno",
    "sfzhm",
    "zjhm",
    "证件号码",
    "身份证号",
    "身份证号码",
)
_TITLE_KEYS = ("corporationtypename", "corporationtype", "typename", "title", "职务", "身份")
_OFFICER_KEYS: Final = frozenset((*_NAME_KEYS, *_NUMBER_KEYS, *_TITLE_KEYS))

_DEPTH_MAX = 8
"""Exporters wrap and quote a list two or three times. Deeper values are unreadable."""
_PYTHON_LENGTH_MAX = 100_000
"""Python's parser takes some hundred bytes of memory for each character."""

TITLES_CACHED_MAX: Final = 1_000
"""Exporters use some ten titles and keys, each in one spelling."""
TITLE_LENGTH_MAX: Final = 300
KEY_LENGTH_MAX: Final = 64
"""A longer key is none that is known."""

_HOLDS_JSON = re.compile(r'\s*[\[{"]')
_BETWEEN_NAMES = re.compile(r"[、,，;；/|\r\n]+")
_TITLE_BEHIND = re.compile(r"(?P<name>[^()（）]+)[(（](?P<title>[^()（）]+)[)）]")
_TITLE_BEFORE = re.compile(r"(?P<title>[^:：]+)[:：](?P<name>[^:：]+)")
_NUMBER_INSIDE = re.compile(r"(?<![0-9A-Za-z*])[0-9*]{14,17}[0-9Xx*](?![0-9A-Za-z*])")


class NamedOfficer(NamedTuple):
    """The words of one officer. All three are empty if the officer cannot be read."""

    name: str
    number: str
    title: str

    @property
    def is_readable(self) -> bool:
        """Whether anything of the officer could be read."""
        return bool(self.name or self.number)

    def documents(self, today: date) -> tuple[ListedDocument, ...]:
        """Return the officer's document, or no document if the number cannot be read."""
        if not self.number:
            return ()
        try:
            return (read_personal_number(self.number, today),)
        except InvalidDocument:
            return ()


UNREADABLE: Final = NamedOfficer("", "", "")

_UNPARSED = (msgspec.DecodeError, ValueError, SyntaxError, MemoryError, RecursionError)


@lru_cache(maxsize=TITLES_CACHED_MAX)
def role_of(title: str) -> Role | None:
    """Return the role of a title, or of several titles in one text; None: no title is known."""
    text = folded_text(title)
    if text == _LEGAL_REPRESENTATIVE_ALONE:
        return Role.LEGAL_REPRESENTATIVE
    return next((role for words, role in TITLES if words in text), None)


def members_of(value: object) -> Iterator[NamedOfficer]:
    """Yield the officers of a field's value; a part that cannot be read yields `UNREADABLE`."""
    return _members(value, _DEPTH_MAX)


@lru_cache(maxsize=TITLES_CACHED_MAX)
def folded_key(key: str) -> str:
    """Return a key in small letters, without marks and spaces."""
    return re.sub(r"[\W_]", "", folded_text(key))


def folded_keys(members: Mapping[Any, object]) -> dict[str, object]:
    """Return an object with its keys in small letters, without marks and spaces between them.

    Of two keys with one spelling the one counts whose value means something.
    """
    folded: dict[str, object] = {}
    for key, value in members.items():
        name = folded_key(str(key)[:KEY_LENGTH_MAX])
        if not _is_nothing(value) or name not in folded:
            folded[name] = value
    return folded


def _members(value: object, depth: int) -> Iterator[NamedOfficer]:
    if _is_nothing(value):
        return
    if not depth:
        yield UNREADABLE
    elif isinstance(value, Mapping):
        yield from _of_object(folded_keys(value), depth)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _members(one, depth - 1)
    elif isinstance(value, str):
        yield from _of_text(html.unescape(value), depth)
    else:
        yield UNREADABLE


def _of_object(folded: dict[str, object], depth: int) -> Iterator[NamedOfficer]:
    if _OFFICER_KEYS.isdisjoint(folded):
        for inner in folded.values():
            is_wrapped = isinstance(inner, (Mapping, list)) or _holds_json(inner)
            yield from _members(inner, depth - 1) if is_wrapped else _unknown(inner)
        return
    member = NamedOfficer(
        name_text(_first(folded, _NAME_KEYS))[:NAME_LENGTH_MAX],
        read_text(_first(folded, _NUMBER_KEYS)),
        _title(_first(folded, _TITLE_KEYS))[:TITLE_LENGTH_MAX],
    )
    if member.is_readable:
        yield member
    elif any(not _is_nothing(folded.get(key)) for key in (*_NAME_KEYS, *_NUMBER_KEYS)):
        yield UNREADABLE


def _of_text(text: str, depth: int) -> Iterator[NamedOfficer]:
    if not _holds_json(text):
        for part in _BETWEEN_NAMES.split(text):
            if not means_nothing(part):
                yield _named(part)
        return
    for read in (_of_json, _of_python):
        try:
            inner = read(text)
        except _UNPARSED:
            continue
        yield from _members(inner, depth - 1)
        return
    yield UNREADABLE


def _named(part: str) -> NamedOfficer:
    """Return the officer of a text with a name, and perhaps a title and a number."""
    number = _NUMBER_INSIDE.search(part)
    name, title = part if number is None else part.replace(number[0], " "), ""
    for shape in (_TITLE_BEHIND, _TITLE_BEFORE):
        if (match := shape.fullmatch(name.strip())) and role_of(match["title"][:TITLE_LENGTH_MAX]):
            name, title = match["name"], match["title"][:TITLE_LENGTH_MAX]
    return NamedOfficer(name_text(name)[:NAME_LENGTH_MAX], number[0] if number else "", title)


def _of_json(text: str) -> object:
    return msgspec.json.decode(text)


def _of_python(text: str) -> object:
    if len(text) > _PYTHON_LENGTH_MAX:
        raise ValueError
    return ast.literal_eval(text.strip())


def _unknown(value: object) -> Iterator[NamedOfficer]:
    if not _is_nothing(value):
        yield UNREADABLE


def _title(value: object) -> str:
    return "、".join(map(read_text, value)) if isinstance(value, list) else read_text(value)


def _first(folded: dict[str, object], keys: tuple[str, ...]) -> object:
    return next((folded[key] for key in keys if not _is_nothing(folded.get(key))), None)


def _holds_json(value: object) -> bool:
    return isinstance(value, str) and _HOLDS_JSON.match(value) is not None


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return means_nothing(value)
    return value is None or value is False or value in ([], {}, ())
