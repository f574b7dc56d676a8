"""Laws of cutting a feed into lines."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.formats.lines import cut_lines

pytestmark = pytest.mark.anyio

LIMIT = 12
# Few bytes, so that newlines, returns, spaces and byte order marks meet often.
FEEDS = st.lists(
    st.sampled_from([b"a", b"bc", b"\n", b"\n", b"\r\n", b" ", b"\xef\xbb\xbf", b"\xef", b"x" * 9])
).map(b"".join)


async def cut(*chunks):
    async def arriving():
        for chunk in chunks:
            yield chunk

    return [line async for line in cut_lines(arriving(), line_bytes_max=LIMIT)]


def plainly(feed):
    """Cut what is there as a whole, the obvious way."""
    lines = []
    for number, raw in enumerate(feed.split(b"\n"), 1):
        line = raw.strip()
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(raw) > LIMIT:
            lines.append((number, None))
        elif line:
            lines.append((number, line))
    return lines


@given(feed=FEEDS, cuts=st.lists(st.integers(0, 60)))
async def test_however_a_feed_is_cut_into_chunks_its_lines_are_the_same(feed, cuts):
    places = [0, *sorted(min(place, len(feed)) for place in cuts), len(feed)]
    chunks = [feed[start:end] for start, end in pairwise(places)]

    assert await cut(*chunks) == await cut(feed) == plainly(feed)


@given(feed=FEEDS)
async def test_a_feed_that_comes_byte_by_byte_has_the_same_lines(feed):
    assert await cut(*(bytes([byte]) for byte in feed)) == plainly(feed)
