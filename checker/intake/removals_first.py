"""The order in which the lines of a file of changes are applied: what frees people goes first.

More people leave the list than enter it. A person may be delisted in line 49 000. That person must
not stay refused while 48 999 other lines are written. So a line that frees somebody is applied
before the earlier lines of its window, unless an earlier line that stays in its place touches the
same thing:

| line                          | touches                                       |
|-------------------------------|-----------------------------------------------|
| an operation on a listing     | the listing, by its id                        |
| `permit`, `withdraw_permit`   | the permit, by its id                         |
| `permit`, `bind`              | each document that the line names             |
| a line that is no operation   | nothing, because it will be rejected          |

Lines that touch different things lead to the same list in any order (`checker.registry.ledger`).
Lines that touch the same thing keep their order. So the list, and what becomes of each line, is as
if the lines were applied in the order of the file.

The file is read twice at once: a scout runs one window ahead, and yields the lines that go first.
Memory holds the ids and numbers of one window, and no line.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from typing import Final

import msgspec

from cache.token import Token
from checker.domain.document import Document
from checker.formats.feed_format import Reading
from checker.formats.operation import OperationLine, sent_operation
from checker.registry.entry import LineRejected
from checker.registry.operations import Bind, GrantPermit

WINDOW_LINES: Final = 100_000
"""Some 15 MB of ids. The scout reads so many lines in about a second."""

LINES_AT_ONCE: Final = 200
"""Lines that the scout reads before the event loop runs other tasks: some two milliseconds."""

FREEING_OPERATIONS: Final = frozenset({"delist", "shield", "permit", "distinguish"})

NumberedLines = AsyncIterator[tuple[int, bytes | None]]
TokenOf = Callable[[Document], Token]


class OrderedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a file, and its `place` in the order in which lines are applied.

    Places only grow. `is_ahead`: the line goes before earlier lines of the file.
    """

    place: int
    number: int
    line: bytes | None
    is_ahead: bool = False


async def in_order(lines: NumberedLines) -> AsyncIterator[OrderedLine]:
    """Yield lines in the order of the file."""
    async for number, line in lines:
        yield OrderedLine(place=number, number=number, line=line)


async def removals_first(
    lines: NumberedLines,
    scouted: NumberedLines,
    reading: Reading,
    token_of: TokenOf,
    *,
    window_lines: int = WINDOW_LINES,
) -> AsyncIterator[OrderedLine]:
    """Yield each line once, with the lines that free people before the others of their window.

    `lines` and `scouted` are two readings of one file. The order depends on the file alone.
    """
    place = 0
    has_more = True
    while has_more:
        window = _Window(reading, token_of)
        seen = 0
        has_more = False
        async for number, line in scouted:
            seen += 1
            if window.goes_ahead(number, line):
                place += 1
                yield OrderedLine(place=place, number=number, line=line, is_ahead=True)
            if seen % LINES_AT_ONCE == 0:
                await asyncio.sleep(0)
            if seen == window_lines:
                has_more = True
                break
        async for number, line in lines:
            if number not in window.ahead:
                place += 1
                yield OrderedLine(place=place, number=number, line=line)
            seen -= 1
            if seen == 0 and has_more:
                break


class _Window:
    """Some lines of a file: the numbers of those that go ahead, and what the others touch."""

    def __init__(self, reading: Reading, token_of: TokenOf) -> None:
        self.ahead: set[int] = set()
        self._touched: set[str | Token] = set()
        self._reading = reading
        self._token_of = token_of

    def goes_ahead(self, number: int, line: bytes | None) -> bool:
        """Return whether a line goes ahead. Lines come in the order of the file."""
        sent = None if line is None else sent_operation(line)
        if sent is None:
            return False
        touches = self._touches(sent)
        frees = sent.__struct_config__.tag in FREEING_OPERATIONS
        if frees and self._touched.isdisjoint(touches):
            self.ahead.add(number)
            return True
        self._touched.update(touches)
        return False

    def _touches(self, sent: OperationLine) -> Collection[str | Token]:
        listing = getattr(sent, "listing", None)
        listing_id = getattr(sent, "listing_id", None) if listing is None else listing.id
        if listing_id is not None:
            return (f"listing {listing_id}",)
        permit_id = getattr(sent, "permit_id", None)
        if permit_id is not None:
            return (f"permit {permit_id}",)
        try:
            operation = sent.read(self._reading)
        except LineRejected:
            return ()
        match operation:
            case GrantPermit(permit=permit):
                return (f"permit {permit.id}", self._token_of(permit.document))
            case Bind(documents=documents):
                return tuple(map(self._token_of, documents))
            case _:
                raise AssertionError("an operation without an id is a permit or a binding")
