"""A feed cut into lines, however it arrives."""

import tracemalloc

import pytest

from checker.formats.lines import LINE_BYTES_MAX, cut_lines

pytestmark = pytest.mark.anyio


async def cut(*chunks, **limits):
    async def arriving():
        for chunk in chunks:
            yield chunk

    return [line async for line in cut_lines(arriving(), **limits)]


async def test_lines_are_counted_from_one_and_blank_ones_passed_over():
    assert await cut(b"a\n\n \t\nb\n") == [(1, b"a"), (4, b"b")]


async def test_a_line_goes_on_across_chunks():
    assert await cut(b"a", b"", b"b\nc", b"d\n") == [(1, b"ab"), (2, b"cd")]


async def test_a_last_line_needs_no_newline():
    assert await cut(b"a\nb") == [(1, b"a"), (2, b"b")]


@pytest.mark.parametrize("chunks", [(), (b"",), (b"\n",), (b"\xef\xbb\xbf",), (b"\xef\xbb\xbf\n",)])
async def test_an_empty_feed_has_no_lines(chunks):
    assert await cut(*chunks) == []


async def test_carriage_returns_are_no_part_of_a_line():
    assert await cut(b"a\r\nb\r", b"\n\r\n") == [(1, b"a"), (2, b"b")]


async def test_a_byte_order_mark_is_dropped_where_the_feed_begins_and_nowhere_else():
    mark = b"\xef\xbb\xbf"

    assert await cut(mark[:1], mark[1:] + b"a\n" + mark + b"b\n") == [(1, b"a"), (2, mark + b"b")]


async def test_a_line_over_the_limit_is_told_and_the_next_is_read():
    read = await cut(b"aaa", b"aa\nbbbb\nccccc\nd", line_bytes_max=4)

    assert read == [(1, None), (2, b"bbbb"), (3, None), (4, b"d")]


async def test_a_last_line_over_the_limit_is_told_too():
    assert await cut(b"a\n", b"bb", b"bb", b"b", line_bytes_max=4) == [(1, b"a"), (2, None)]


async def test_the_limit_is_a_mebibyte():
    fits = b"x" * LINE_BYTES_MAX

    assert await cut(fits + b"\n" + fits + b"x\n") == [(1, fits), (2, None)]


async def test_a_line_without_an_end_is_not_held_in_memory():
    async def endless():
        for _ in range(1_000):
            yield bytes(1_000)

    tracemalloc.start()
    try:
        lines = [line async for line in cut_lines(endless(), line_bytes_max=10_000)]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert lines == [(1, None)]
    assert peak_bytes < 100_000
