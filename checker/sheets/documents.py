"""Kinds of documents as sheets name them, in Chinese and English.

Some words name two kinds: `港澳通行证` is the permit of people from Hong Kong and Macao, and also
the permit of mainland residents. The number then decides: it has the first kind that it fits.
"""

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final, TypeAlias

from checker.domain.document import Document, DocumentType, normalize
from checker.domain.errors import InvalidDocument
from checker.sheets.header_words import ANY_DOCUMENT, NUMBER_ENDINGS

Kinds: TypeAlias = tuple[DocumentType, ...]

NUMBER_LENGTH_MAX: Final = 64
"""The bound of the API. A longer text is no number, and costs no search."""

_WORDS: Final[Mapping[DocumentType, tuple[str, ...]]] = {
    DocumentType.RESIDENT_ID: (
        "身份证",
        "居民身份证",
        "二代身份证",
        "中国居民身份证",
        "中华人民共和国居民身份证",
        "大陆身份证",
        "临时身份证",
        "临时居民身份证",
        "公民身份",
        "户口簿",
        "户口本",
        "港澳居民居住证",
        "台湾居民居住证",
        "港澳台居民居住证",
        "residentidcard",
        "idcard",
        "chineseid",
        "chineseidcard",
        "citizenid",
        "identitycard",
    ),
    DocumentType.PASSPORT: ("护照", "普通护照", "因私护照", "外国护照", "中国护照"),
    DocumentType.HK_MACAO_PERMIT: (
        "港澳居民来往内地通行证",
        "港澳居民往来内地通行证",
        "港澳来往内地通行证",
        "回乡证",
        "港澳回乡证",
        "港澳通行证",
        "homereturnpermit",
    ),
    DocumentType.TAIWAN_PERMIT: (
        "台湾居民来往大陆通行证",
        "台湾居民往来大陆通行证",
        "台胞证",
        "台湾通行证",
        "大陆居民往来台湾通行证",
        "往来台湾通行证",
    ),
    DocumentType.FOREIGN_PERMANENT_RESIDENT_ID: (
        "外国人永久居留身份证",
        "外国人永久居留证",
        "永久居留身份证",
        "永居证",
        "五星卡",
        "permanentresidentid",
        "permanentresidencecard",
    ),
    DocumentType.EXIT_ENTRY_PERMIT: (
        "往来港澳通行证",
        "内地居民往来港澳通行证",
        "出入境通行证",
        "港澳通行证",
    ),
    DocumentType.USCC: (
        "统一社会信用代码",
        "社会信用代码",
        "统一信用代码",
        "营业执照",
    ),
    DocumentType.ORG_CODE: ("组织机构代码", "组织机构代码证", "organizationcode"),
}

KINDS: Final[Mapping[str, Kinds]] = {
    # The words of the API, without their underscores.
    **{kind.value.replace("_", ""): (kind,) for kind in DocumentType},
    **{
        word: tuple(kind for kind, words in _WORDS.items() if word in words)
        for words in _WORDS.values()
        for word in words
    },
}
"""The kinds that a folded word may mean. The order is that of `_WORDS`."""


def folded(text: str) -> str:
    """Return a word in half width and lower case, without spaces and underscores."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(each for each in plain if not each.isspace() and each not in "_*:#'")


def kinds_of(text: str) -> Kinds | None:
    """Return the kinds that a text names; None: the text names no kind.

    A text may name several kinds: `身份证/护照`.
    """
    kinds: list[DocumentType] = []
    for part in _parts(folded(text)):
        found = KINDS.get(part) or KINDS.get(_without_ending(part))
        if found is None:
            return None
        kinds += found
    return tuple(dict.fromkeys(kinds)) or None


def kinds_of_header(text: str) -> Kinds | None:
    """Return the kinds of a column of numbers; empty: any kind; None: no column of numbers.

    `text` is folded, without the person that the header names.
    """
    stem = _without_ending(text)
    if stem in ANY_DOCUMENT and stem != text:
        return ()
    return kinds_of(text)


def names_number(text: str) -> bool:
    """Whether a folded header names a number, and not only a kind of document."""
    return text.endswith((*NUMBER_ENDINGS, "代码", "uscc", "code"))


def fitting_kind(kinds: Kinds, number: str, today: date) -> DocumentType | None:
    """Return the first kind that the number fits; None: the number fits none."""
    for kind in kinds:
        try:
            normalize(Document(type=kind, number=number), today)
        except InvalidDocument:
            continue
        return kind
    return None


def _parts(text: str) -> list[str]:
    for separator in ("或", "、", ",", "或者"):
        text = text.replace(separator, "/")
    return [part for part in text.split("/") if part]


def _without_ending(text: str) -> str:
    for ending in NUMBER_ENDINGS:
        if text.endswith(ending) and text != ending:
            return text.removesuffix(ending)
    return text
