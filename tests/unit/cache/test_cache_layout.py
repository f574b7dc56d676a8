"""What the layout refuses, and what it writes for nothing at all."""

import pytest

from cache.errors import BuildRejected
from cache.generation import Generation
from cache.layout import SENTINEL, Bucket, Segment, lay_out
from tests.support.positions import position

pytestmark = pytest.mark.anyio

KEY = bytes(range(32))
LOW, HIGH = b"\x00" * 15 + b"\x01", b"\xff" * 16


async def stream(entries):
    yield entries
    yield []


async def pieces_of(entries, count=None):
    generation = Generation.plan(
        position=position(1),
        token_key="",
        entries=len(entries) if count is None else count,
        segment_blocks=2,
    )
    return [piece async for pieces in lay_out(stream(entries), generation, KEY) for piece in pieces]


def parted(pieces):
    """Return the buckets, then the segments."""
    buckets = [piece for piece in pieces if isinstance(piece, Bucket)]
    return buckets, [piece for piece in pieces if isinstance(piece, Segment)]


async def test_an_empty_list_has_sentinels_in_all_buckets_and_zeros_in_all_segments():
    buckets, segments = parted(await pieces_of([]))
    assert {piece.pairs[0] for piece in buckets} == {SENTINEL}
    assert {len(piece.pairs) for piece in buckets} == {2}
    assert len({piece.pairs[1] for piece in buckets}) == len(buckets)
    assert {(piece.data, piece.bits) for piece in segments} == {(bytes(128), 0)}
    assert (len(buckets), len(segments)) == (43, 32)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([(HIGH, b""), (LOW, b"")], "out of order"),
        ([(LOW, b"a"), (LOW, b"a")], "twice"),
        ([(LOW, b"x" * 65)], "65 bytes, more than 64"),
        ([(b"short", b"")], "16 bytes, not 5"),
        ([(b"\x00" * 17, b"")], "16 bytes, not 17"),
        ([(b"\x00" * 15, b""), (b"\x01" * 17, b"")], "16 bytes, not 15"),
        ([(b"", b"")], "16 bytes, not 0"),
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
    buckets, _ = parted(await pieces_of([(LOW, b""), (HIGH, b"x" * 64)]))
    assert buckets[0].fields.keys() == {SENTINEL, LOW}
    assert buckets[0].fields[LOW] == b""
    assert buckets[-1].pairs[2:] == (HIGH, b"x" * 64)


def test_the_sentinel_is_no_token():
    assert len(SENTINEL) != 16
