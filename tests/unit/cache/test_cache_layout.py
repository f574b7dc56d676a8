"""What the layout refuses, and what it writes for nothing at all."""

import pytest

from cache.errors import BuildRejected
from cache.generation import Generation
from cache.layout import SENTINEL, Bucket, Segment, lay_out

pytestmark = pytest.mark.anyio

LOW, HIGH = b"\x00" * 15 + b"\x01", b"\xff" * 16


async def stream(entries):
    for entry in entries:
        yield entry


async def pieces_of(entries, count=None):
    generation = Generation.plan(
        version=1,
        as_of_ms=0,
        token_key="",
        entries=len(entries) if count is None else count,
        segment_blocks=2,
    )
    return [piece async for piece in lay_out(stream(entries), generation)]


async def test_an_empty_list_has_one_bucket_with_a_sentinel_and_one_block_of_zeros():
    assert await pieces_of([]) == [
        Bucket(index=0, fields={SENTINEL: b""}),
        Segment(index=0, data=bytes(64), bits=0),
    ]


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([(HIGH, b""), (LOW, b"")], "out of order"),
        ([(LOW, b"a"), (LOW, b"a")], "twice"),
        ([(LOW, b"x" * 65)], "65 bytes, more than 64"),
        ([(b"short", b"")], "16 bytes, not 5"),
        ([(b"\x00" * 17, b"")], "16 bytes, not 17"),
    ],
)
async def test_a_bad_entry_is_refused_and_not_repeated(entries, reason):
    with pytest.raises(BuildRejected, match=reason) as refusal:
        await pieces_of(entries)
    assert "\\x" not in str(refusal.value)


@pytest.mark.parametrize("announced", [0, 1, 3, 1_000])
async def test_another_number_of_entries_than_announced_is_refused(announced):
    with pytest.raises(BuildRejected, match=f"{announced} entries were announced and 2 came"):
        await pieces_of([(LOW, b""), (HIGH, b"")], count=announced)


async def test_the_longest_value_and_the_empty_one_are_kept():
    [bucket, _] = await pieces_of([(LOW, b""), (HIGH, b"x" * 64)])
    assert bucket.fields == {SENTINEL: b"", LOW: b"", HIGH: b"x" * 64}


def test_the_sentinel_is_no_token():
    assert len(SENTINEL) != 16
