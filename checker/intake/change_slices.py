"""Cuts the lines of a file of changes into slices. Each slice is written in one commit."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from uuid import uuid4

import msgspec

from checker.errors import TooLarge
from checker.formats.feed_format import LineFormat
from checker.intake.quarantine_rows import FeedLine
from checker.intake.removals_first import OrderedLine
from checker.registry.entry import LineRejected
from checker.registry.operations import Operation

SLICE_LINES = 200
"""Lines in one commit. Other writers of the list have their turn between two slices."""

SLICE_BYTES = 4 << 20

STRICT_LINES_MAX = 10_000
"""A strict feed, or a feed with `If-Match`, is held in memory as a whole. It holds the lock of the
list while it is applied."""

STRICT_BYTES_MAX = 64 << 20

LINES_AT_ONCE = 20
"""Lines that are read before the event loop runs other tasks: some two milliseconds."""


class FeedSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one commit; `came_to` is the place of the last line (`OrderedLine`).

    `goes_first`: each line frees people, so the slice overtakes those of other feeds.
    """

    lines: list[FeedLine]
    came_to: int
    goes_first: bool = False


async def cut_slices(
    lines: AsyncIterable[OrderedLine],
    read: Callable[[bytes | None], Operation | LineRejected],
    line_format: LineFormat,
    progress: Callable[[int], None],
    *,
    behind: int,
    one_slice: bool,
) -> AsyncIterator[FeedSlice]:
    """Yield the lines behind the place `behind` in slices, or in one slice if `one_slice`.

    Lines that go ahead share no slice with other lines, so they wait for no other line.

    Raises:
        TooLarge: one slice would hold too many lines or bytes.
    """
    feed = str(uuid4())
    held: list[FeedLine] = []
    held_bytes = place = 0
    was_ahead = False
    async for one in lines:
        if one.place <= behind:
            continue
        if held and was_ahead != one.is_ahead:
            yield FeedSlice(lines=held, came_to=place, goes_first=was_ahead)
            held, held_bytes = [], 0
        place, was_ahead = one.place, one.is_ahead
        raw = one.line or b""
        held.append(
            FeedLine(
                feed=feed,
                number=one.number,
                raw=raw,
                read=read(one.line),
                line_format=line_format.name,
            )
        )
        held_bytes += len(raw)
        if one_slice and (len(held) > STRICT_LINES_MAX or held_bytes > STRICT_BYTES_MAX):
            text = f"with strict or If-Match a feed has at most {STRICT_LINES_MAX} lines"
            raise TooLarge(f"{text}, and 64 MiB")
        if not one_slice and (len(held) >= SLICE_LINES or held_bytes >= SLICE_BYTES):
            yield FeedSlice(lines=held, came_to=place, goes_first=was_ahead)
            held, held_bytes = [], 0
        if place % LINES_AT_ONCE == 0:
            progress(place)
            await asyncio.sleep(0)
    progress(place)
    if held:
        yield FeedSlice(lines=held, came_to=place, goes_first=was_ahead)


async def with_last(
    slices: AsyncIterable[FeedSlice], done: int
) -> AsyncIterator[tuple[FeedSlice, bool]]:
    """Yield each slice with whether it is the last. A feed without lines is one empty slice."""
    held: FeedSlice | None = None
    try:
        async for slice_ in slices:
            if held is not None:
                yield held, False
            held = slice_
    except Exception:
        # The whole slices of a broken transfer stand.
        if held is not None:
            yield held, False
        raise
    yield held or FeedSlice(lines=[], came_to=done), True
