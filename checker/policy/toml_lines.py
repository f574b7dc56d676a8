"""Finds the lines of keys in a TOML text, because the standard library's reader gives no lines.

Reads headers and the keys before `=` in a text that is known to be TOML, and ignores values. A
line inside a multi-line string may look like a key: then an error names a wrong line, and nothing
else goes wrong.
"""

import re
from collections.abc import Mapping
from typing import Final

Path = tuple[str | int, ...]
"""Keys and places in arrays from the root: `("measures", 2, "clauses", 0, "service")`."""

ROOT: Final[Path] = ()

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\s*({_KEYS})\s*\]")
_ARRAY_HEADER = re.compile(rf"\s*\[\[\s*({_KEYS})\s*\]\]")
_ASSIGNMENT = re.compile(rf"\s*({_KEYS})\s*=")
_ONE_KEY = re.compile(_KEY)


def key_lines(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, on which each table and key of `text` first stands."""
    lines: dict[Path, int] = {}
    sizes: dict[Path, int] = {}
    table: Path = ROOT
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _ARRAY_HEADER.match(line):
            array = _resolve(_split(match[1]), sizes)
            sizes[array] = sizes.get(array, 0) + 1
            table = (*array, sizes[array] - 1)
            _note(lines, table, number)
        elif match := _HEADER.match(line):
            table = _resolve(_split(match[1]), sizes)
            _note(lines, table, number)
        elif match := _ASSIGNMENT.match(line):
            _note(lines, (*table, *_split(match[1])), number)
    return lines


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of `path`, or of the nearest table around it; None: neither has a line."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _note(lines: dict[Path, int], path: Path, number: int) -> None:
    for end in range(1, len(path) + 1):
        lines.setdefault(path[:end], number)


def _split(keys: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in _ONE_KEY.findall(keys))


def _resolve(keys: tuple[str, ...], sizes: Mapping[Path, int]) -> Path:
    """Return the path of a header, through the newest table of each array on it."""
    path: Path = ROOT
    for place, key in enumerate(keys):
        path = (*path, key)
        if place < len(keys) - 1 and path in sizes:
            path = (*path, sizes[path] - 1)
    return path
