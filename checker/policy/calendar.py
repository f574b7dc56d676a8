"""Reads the calendar of working days that comes with the package: `calendars/cn.toml`."""

import functools
import tomllib
from importlib import resources
from typing import Final

import msgspec

from checker.domain.deadlines import ArrangedYear, WorkingCalendar

_FILE: Final = "calendars/cn.toml"


class _Arranged(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    years: tuple[ArrangedYear, ...]


@functools.cache
def builtin_calendar() -> WorkingCalendar:
    """Return the calendar of the years that the State Council has announced."""
    text = resources.files("checker.policy").joinpath(_FILE).read_text(encoding="utf-8")
    return WorkingCalendar(msgspec.convert(tomllib.loads(text), _Arranged).years)
