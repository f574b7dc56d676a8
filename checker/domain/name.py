"""Names in the forms in which they are compared: the document decides, a name only confirms.

A name has one or more keys (`name_keys`). Two names agree if they share a key. Nothing here is
fuzzy. Two names share a key if they differ only in:

- width, case, spaces, punctuation and invisible characters;
- digits at both ends, if the name is a person's, because tables number namesakes and footnotes
  (张三1, 张三①). A digit in a company's name stays: companies of one group have names that differ
  in a digit alone, and codes that differ in the last characters alone, which lists hide;
- the middle dot (间隔号) in the names of many minorities and foreigners: its shape, or its absence;
- the code of a character: private use, radical, compatibility ideograph, variation selector;
- traditional and simplified characters, as OpenCC's dictionary maps them;
- a former name, which one of them has in brackets or behind 曾用名.

All other differences remain: another transcription, a character replaced by its parts or by pinyin,
an accent, one of two simplified forms of a traditional character (钟 and 锺 for 鍾).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from checker.domain.ideographs import simplified, traditional_characters, unified
from checker.domain.text import without_spaces

MIDDLE_DOT: Final = "\u00b7"

NAME_KEYS_MAX: Final = 8
"""More keys of one name are left out: each key costs a token of each shape of masked numbers."""

# Bullet, hyphenation point, katakana dot, bullet operator, dot operator, word separator, and the
# full stop, which most keyboards offer in its place.
_DOTS = dict.fromkeys(map(ord, "\u2022\u2027\u30fb\u2219\u22c5\u2e31."), MIDDLE_DOT)

# The block of unified ideographs, from its first character to the last one of Unicode 1.1.
_is_common_chinese = re.compile("[\u4e00-\u9fa5]+").fullmatch

_LETTERS: Final = frozenset({"Ll", "Lo", "Nd"})
"""The categories of case-folded letters, of ideographs, and of digits."""

# The ideographic zero and the iteration marks are parts of names, and of other categories.
_ALSO_LETTERS: Final = frozenset("\u3007\u3005\u303b\u30fc")

# Unicode calls these letters, but in a name they are dots or fillers: the final middle dot of
# Canadian syllabics, the sinological dot, the araea of Hangul, and the fillers of Hangul.
_NO_LETTERS: Final = frozenset("\u1427\ua78f\u318d\u119e\u115f\u1160\u3164\uffa0")

_FORMER: Final = "曾用名"
_BRACKETED = re.compile(r"[(\[{<〈《「『【〔]([^)\]}>〉》」』】〕]*)(?:[)\]}>〉》」』】〕]|$)")
_FORMER_NAMES = re.compile(
    r"(?:曾用姓?名称?|曾用|原姓?名称?|原|曾名|旧名|又名|又称|[别別]名|化名|本名|现名|更名为)[为是:]*(.+)"
)
_DIGITS_AT_ENDS = re.compile(r"^\d+|\d+$")
_BETWEEN_NAMES = re.compile(r"[、,;/|]+")


def normalize_name(text: str) -> str:
    """Return the first key of a name. Twice gives the same as once.

    NFKC (so brackets become half-width), no spaces, one middle dot for all, case folded. The steps
    are repeated until nothing changes, because one step can make another necessary: without a
    space, an accent joins the letter before it. No step changes a common Chinese character.

    The result is a format: tokens and ids of listings in the registry stand on it. A difference in
    spelling that is found later gets a key in `name_keys`.
    """
    if _is_common_chinese(text):
        return text
    folded = _fold(text)
    while folded != text:
        text, folded = folded, _fold(folded)
    return folded


def name_keys(text: str, *, of_person: bool = False) -> tuple[str, ...]:
    """Return the keys of a name, at most `NAME_KEYS_MAX`; a blank name has none.

    1. the name as `normalize_name` returns it
    2. its letters, ideographs and digits alone
    3. the name without the brackets at its end, and each former name, as in 2
    4. those of 2 and 3 in simplified characters
    5. those of 2 to 4 without digits at both ends, if the name is a person's

    A name of common simplified characters has one key.
    """
    is_simplified = traditional_characters().isdisjoint(text)
    if is_simplified and _is_common_chinese(text) and _FORMER not in text:
        return (text,)
    keys = [normalize_name(text)]
    spellings = [_letters(name) for name in (text, *_names_in(text))]
    keys += spellings
    keys += [simplified(spelling) for spelling in spellings]
    if of_person:
        keys += [_DIGITS_AT_ENDS.sub("", key) for key in keys[1:]]
    return tuple(dict.fromkeys([key for key in keys if key]))[:NAME_KEYS_MAX]


def names_agree(one: str, other: str, *, of_person: bool = False) -> bool:
    """Whether two names share a key; `of_person`: both are names of persons."""
    keys = name_keys(one, of_person=of_person)
    return not set(keys).isdisjoint(name_keys(other, of_person=of_person))


def _fold(text: str) -> str:
    spaced = unicodedata.normalize("NFKC", text).translate(_DOTS)
    return unicodedata.normalize("NFKC", without_spaces(spaced).casefold())


def _letters(text: str) -> str:
    """Return the letters, ideographs and digits of a name, each in its one form."""
    before = None
    while text != before:
        before = text
        folded = normalize_name(unified(text))
        text = "".join([each for each in folded if _is_letter(each)])
    return text


def _is_letter(character: str) -> bool:
    if character in _ALSO_LETTERS:
        return True
    return unicodedata.category(character) in _LETTERS and character not in _NO_LETTERS


def _names_in(text: str) -> Iterator[str]:
    """Yield the name without brackets at its end and without former names, and the former names.

    `张三(曾用名李四、李五)` gives 张三, 李四 and 李五. A bracket inside of a name stays, as in the
    names of companies. Nothing is yielded for a name without a bracket and without 曾用名.
    """
    narrow = without_spaces(unicodedata.normalize("NFKC", text))
    rest, former = narrow, []
    for bracketed in _BRACKETED.finditer(narrow):
        if inner := _FORMER_NAMES.match(bracketed[1]):
            former += _BETWEEN_NAMES.split(inner[1])
        elif bracketed.end() != len(narrow):
            continue
        rest = rest.replace(bracketed[0], "")
    head, found, tail = rest.partition(_FORMER)
    if found and head and (named := _FORMER_NAMES.match(found + tail)):
        rest = head
        former += _BETWEEN_NAMES.split(named[1])
    if rest != narrow:
        yield rest
        yield from former
