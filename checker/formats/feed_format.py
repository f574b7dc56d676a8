"""A format of the feed: how a body is cut into lines, and what one line says.

A format knows no database and no HTTP. `checker.formats.formats` lists all formats by their names;
the API, the commands, the intake and the quarantine take every format from there.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Set
from datetime import date
from typing import Generic, TypeVar

import msgspec

from checker.formats.lines import cut_lines
from checker.registry.entry import ListingEntry
from checker.registry.operations import Operation

LineContent = TypeVar("LineContent")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The facts, besides its own bytes, by which a line is read.

    `today` is the day in Shanghai, and `sent_on` is the day on which the line was sent. A retention
    may name only `measures`. `identify` turns the words that identify a record into a listing id;
    the id reveals nothing of these words. A format calls `drop` with the name of each field that
    it could not read and that the listing does not need.
    """

    today: date
    sent_on: date
    identify: Callable[[str], str]
    measures: Set[str] = frozenset()
    drop: Callable[[str], None] = lambda _field: None


class FeedFormat(msgspec.Struct, Generic[LineContent], frozen=True, kw_only=True):
    """One format of the feed.

    | field       | meaning                                                                      |
    |-------------|------------------------------------------------------------------------------|
    | `name`      | the word in `?format=` and `--format`; each line in quarantine keeps it      |
    | `example`   | a body of one line that can be read; the tests of all formats send it        |
    | `read_line` | returns the content of one line; raises LineRejected with the field at fault |
    | `open`      | yields a line's number from 1 and its bytes, or None if the line is too long |
    | `former_id` | set if the format derives the ids of listings, because the sender has none;  |
    |             | returns the id that the record got before decision 0045, or None             |

    A line that `open` yields is read alone, because a retry of the quarantine has nothing else: a
    format with a header repeats the header in each line. Two lines with the same derived id and
    different contents are two listings.
    """

    name: str
    example: bytes
    read_line: Callable[[bytes, Reading], LineContent]
    open: Callable[[AsyncIterable[bytes]], AsyncIterator[tuple[int, bytes | None]]] = cut_lines
    former_id: Callable[[bytes, Reading], str | None] | None = None

    @property
    def owns_ids(self) -> bool:
        """Whether the format derives the ids of listings."""
        return self.former_id is not None


ListFormat = FeedFormat[ListingEntry]
"""A format of listings; a whole list may be written in it."""

LineFormat = FeedFormat[ListingEntry] | FeedFormat[Operation]
"""Any format of a line."""
