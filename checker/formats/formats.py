"""All formats of the feed, by name.

To add a format, write one file beside this one and name its format in `LIST_FORMATS`.
"""

from collections.abc import Mapping
from typing import Final

from checker.formats.feed_format import LineFormat, ListFormat
from checker.formats.listing import LISTING
from checker.formats.operation import OPERATION
from checker.formats.xgl import XGL
from checker.formats.zxgk import ZXGK

LIST_FORMATS: Final[Mapping[str, ListFormat]] = {each.name: each for each in (LISTING, ZXGK, XGL)}
"""The formats that `?format=` and `--format` may name."""

LINE_FORMATS: Final[Mapping[str, LineFormat]] = {**LIST_FORMATS, OPERATION.name: OPERATION}
"""The formats that a line in quarantine may have."""


def format_of_changes(list_format: ListFormat) -> LineFormat:
    """Return the format of a file of changes from a sender that writes lists in `list_format`.

    The feed's own listings have operations beside them. In any other format each line puts one
    listing in force.
    """
    return OPERATION if list_format is LISTING else list_format
