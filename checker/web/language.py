"""The language of a page: Chinese, or English by `?lang=en`, which a cookie keeps.

The words of the pages stand in `checker/web/words`, in both languages side by side. The words of
decisions, roles and reasons stand in `checker/audit/wording.py`, those of measures in
`checker/policy`. A test proves that every value of a closed set has its word.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from checker.domain.measure import Title

COOKIE: Final = "lang"
PARAMETER: Final = "lang"


class Language(StrEnum):
    """A language that the pages speak."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """The language tag of HTML (BCP 47)."""
        return "zh-Hans" if self is Language.ZH else "en"

    @property
    def other(self) -> "Language":
        """The language of the switch."""
        return Language.EN if self is Language.ZH else Language.ZH


def language_of(asked: str | None, kept: str | None) -> Language:
    """Return the language of a page: the one that is asked for, else the kept one, else Chinese."""
    for text in (asked, kept):
        if text in set(Language):
            return Language(text)
    return Language.ZH


class MissingWord(LookupError):
    """A page asks for a word that no file of `words` has."""


class PageWords:
    """The words of the pages in one language, by their dotted key in the files of `words`."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text of a key; `values` stand where the text has their names in braces.

        Raises:
            MissingWord: there is no such key.
        """
        title = all_words().get(key)
        if title is None:
            raise MissingWord(key)
        text = self.of(title)
        return text.format(**values) if values else text

    def first_of(self, *keys: str, **values: Any) -> str:
        """Return the text of the first key that there is. The last key must be there."""
        found = next((key for key in keys[:-1] if key in all_words()), keys[-1])
        return self(found, **values)

    def value(self, field: str, choice: str) -> str:
        """Return the text of a choice in a form; a number stands for itself."""
        return choice if choice.isdigit() else self(f"value.{field}.{choice}")

    def of(self, title: Title) -> str:
        """Return the text of a title that another part of the service brings."""
        return title.zh if self.language is Language.ZH else title.en


@cache
def all_words() -> Mapping[str, Title]:
    """Return the words of all files of `words` by dotted key.

    Raises:
        ValueError: two files have the same key.
    """
    words: dict[str, Title] = {}
    for each in sorted(files("checker.web").joinpath("words").iterdir(), key=lambda it: it.name):
        found = dict(_flat(tomllib.loads(each.read_text(encoding="utf-8")), ""))
        twice = words.keys() & found.keys()
        if twice:
            raise ValueError(f"{each.name} has words of another file: {', '.join(sorted(twice))}")
        words |= found
    return words


def _flat(table: Mapping[str, Any], stem: str) -> Any:
    for name, value in table.items():
        key = f"{stem}{name}"
        if set(value) == {"zh", "en"}:
            yield key, msgspec.convert(value, Title)
        else:
            yield from _flat(value, f"{key}.")
