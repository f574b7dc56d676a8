"""Cuts a feed into lines while it arrives, and holds at most one line in memory."""

from collections.abc import AsyncIterable, AsyncIterator

from checker.registry.entry import LineRejected, RejectCode

LINE_BYTES_MAX = 1 << 20
"""A listing with hundreds of officers stays far below it. A longer line is no listing."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


async def cut_lines(
    chunks: AsyncIterable[bytes], *, line_bytes_max: int = LINE_BYTES_MAX
) -> AsyncIterator[tuple[int, bytes | None]]:
    """Yield the number of each line, from 1, and the line, or None for a line over the limit.

    Blank lines are counted and not yielded. A last line needs no newline, because files are written
    like that. The transport notices a transfer that was cut off; the text does not show it.
    """
    number = 0
    held = bytearray()
    overlong = False
    async for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            number += 1
            held += chunk[start:end]
            if overlong or len(held) > line_bytes_max:
                yield number, None
            elif line := _clean(held, number):
                yield number, line
            held.clear()
            overlong = False
            start = end + 1
        if not overlong:
            held += chunk[start:]
        if len(held) > line_bytes_max:
            held.clear()
            overlong = True
    number += 1
    if overlong:
        yield number, None
    elif line := _clean(held, number):
        yield number, line


def require_text(line: bytes | None) -> bytes:
    """Return a line that can be read as text.

    Raises:
        LineRejected: the line is over the limit, or is not UTF-8.
    """
    if line is None:
        raise LineRejected(RejectCode.LINE_TOO_LONG, "the line is over 1 MiB")
    try:
        line.decode()
    except UnicodeDecodeError:
        raise LineRejected(RejectCode.INVALID_ENCODING, "the line is not UTF-8") from None
    return line


def _clean(held: bytearray, number: int) -> bytes:
    line = bytes(held).strip()
    return line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
