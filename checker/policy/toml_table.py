"""Reads TOML strictly: a wrong type, an unknown word or key is an error with its file and line.

Knows TOML and closed sets, not the meaning of keys.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NoReturn, Self, TypeVar

from checker.policy.errors import PolicyError
from checker.policy.toml_lines import ROOT, Path, key_lines, line_of

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)
_LINE = re.compile(r"at line ([0-9]+)")
_NAMES = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table"}


class Table:
    """One table of a TOML file, and the place where it stands."""

    __slots__ = ("_file", "_lines", "_path", "_values")

    def __init__(
        self, values: Mapping[str, object], *, file: str, lines: Mapping[Path, int], path: Path
    ) -> None:
        self._values = values
        self._file = file
        self._lines = lines
        self._path = path

    @classmethod
    def parse(cls, text: str, *, file: str) -> Self:
        """Return the table of a whole file; `file` is its name in errors. Raises `PolicyError`."""
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = _LINE.search(str(error))
            number = int(line[1]) if line else len(text.splitlines())
            raise PolicyError(f"not TOML: {error}", file=file, line=number) from None
        return cls(values, file=file, lines=key_lines(text), path=ROOT)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def fail(self, what: str, *key: str | int) -> NoReturn:
        """Raise `PolicyError` at `key`, or at the table itself."""
        raise PolicyError(what, file=self._file, line=line_of(self._lines, (*self._path, *key)))

    def allow_keys(self, allowed: Iterable[str]) -> None:
        """Raise `PolicyError` for a key that is not `allowed`."""
        known = list(allowed)
        for key in self._values:
            if key not in known:
                self.fail(f"unknown key {key!r}; allowed: {', '.join(known)}", key)

    def is_text(self, key: str) -> bool:
        """Whether a text stands at `key`."""
        return isinstance(self._values.get(key), str)

    def text(self, key: str) -> str:
        """Return a text that is not empty."""
        value = self._typed(key, str)
        if not value.strip():
            self.fail(f"{key} is empty", key)
        return value

    def whole_number(self, key: str) -> int:
        """Return a whole number of 0 or more."""
        value = self._typed(key, int)
        if value < 0:
            self.fail(f"{key} is below 0", key)
        return value

    def truth(self, key: str) -> bool:
        """Return true or false."""
        return self._typed(key, bool)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts that is not empty and holds no text twice."""
        values = self._list(key)
        texts = tuple(value for value in values if isinstance(value, str) and value.strip())
        if not texts or len(texts) != len(values):
            self.fail(f"{key} must be a list of texts", key)
        if len(set(texts)) != len(texts):
            self.fail(f"{key} says something twice", key)
        return texts

    def word(self, key: str, words: type[_Word]) -> _Word:
        """Return one of a closed set of words."""
        return self._word(key, self.text(key), words)

    def words(self, key: str, words: type[_Word]) -> frozenset[_Word]:
        """Return a list of words out of a closed set."""
        return frozenset(self._word(key, text, words) for text in self.texts(key))

    def table(self, key: str) -> Self:
        """Return the table at `key`."""
        return self._within(self._typed(key, dict), key)

    def tables(self, key: str) -> list[Self]:
        """Return the tables of the array at `key`, at least one."""
        values = self._list(key)
        if not values or not all(isinstance(value, dict) for value in values):
            self.fail(f"{key} must be a list of tables, at least one", key)
        return [
            self._within(value, key, place)
            for place, value in enumerate(values)
            if isinstance(value, dict)
        ]

    def _list(self, key: str) -> list[object]:
        value = self._value(key)
        if not isinstance(value, list):
            self.fail(f"{key} must be a list", key)
        return value

    def _typed(self, key: str, kind: type[_T]) -> _T:
        value = self._value(key)
        # A boolean is a whole number in Python, but not in a settings file.
        if type(value) is not kind:
            self.fail(f"{key} must be {_NAMES[kind]}", key)
        return value

    def _value(self, key: str) -> object:
        if key not in self._values:
            self.fail(f"{key} is missing")
        return self._values[key]

    def _word(self, key: str, text: str, words: type[_Word]) -> _Word:
        try:
            return words(text)
        except ValueError:
            self.fail(f"unknown {key} {text!r}; allowed: {', '.join(words)}", key)

    def _within(self, values: Mapping[str, object], *path: str | int) -> Self:
        return type(self)(values, file=self._file, lines=self._lines, path=(*self._path, *path))
