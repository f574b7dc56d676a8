"""The pointer, and what may be served or replaced."""

import msgspec
import pytest

from cache.errors import BuildRejected, CacheIncomplete
from cache.generation import Generation, decode_pointer, encode_pointer, refuse_older, servable


def planned(entries=0, version=7, segment_blocks=4_095):
    return Generation.plan(
        version=version,
        as_of_ms=1_795_000_000_000,
        token_key="a44c8ab454c8225f",
        entries=entries,
        segment_blocks=segment_blocks,
    )


@pytest.mark.parametrize(
    ("entries", "blocks", "buckets", "segments"),
    [
        (0, 1, 1, 1),
        (48, 2, 1, 1),
        (49, 2, 2, 1),
        (131_040, 4_095, 2_730, 1),
        (131_041, 4_096, 2_731, 2),
    ],
)
def test_a_generation_is_sized_for_its_entries(entries, blocks, buckets, segments):
    generation = planned(entries)
    assert (generation.blocks, generation.buckets, generation.segments) == (
        blocks,
        buckets,
        segments,
    )


def test_the_last_segment_is_as_long_as_what_is_left():
    generation = planned(131_041)
    assert [generation.segment_bytes(0), generation.segment_bytes(1)] == [262_080, 64]


def test_the_first_and_the_last_token_lie_in_the_first_and_the_last_place():
    generation = planned(131_041)
    assert (generation.block_of(bytes(16)), generation.bucket_of(bytes(16))) == ((0, 0), 0)
    last = b"\xff" * 16
    assert (generation.block_of(last), generation.bucket_of(last)) == ((1, 0), 2_730)


def test_no_two_builds_share_an_id():
    assert planned().id != planned().id


def test_a_pointer_reads_back_as_it_was_written():
    generation = planned(5)
    assert decode_pointer(encode_pointer(generation)) == generation


def changed(**fields):
    return msgspec.json.encode(msgspec.to_builtins(planned()) | fields)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"{}",
        b"[]",
        changed(layout=2),
        changed(id="../live"),
        changed(blocks=0),
        changed(buckets=0),
        changed(segment_blocks=0),
        changed(version=-1),
        changed(entries="5"),
    ],
)
def test_a_pointer_that_cannot_be_read_proves_nothing(raw):
    with pytest.raises(CacheIncomplete):
        servable(raw, "a44c8ab454c8225f")


def test_a_pointer_with_a_field_of_a_later_release_is_read():
    assert decode_pointer(changed(colour="blue")).version == 7


def test_a_missing_pointer_proves_nothing():
    with pytest.raises(CacheIncomplete, match="no generation"):
        servable(None, "a44c8ab454c8225f")


def test_a_generation_of_another_token_key_proves_nothing():
    with pytest.raises(CacheIncomplete, match="token key"):
        servable(encode_pointer(planned()), "0000000000000000")


@pytest.mark.parametrize("live", [None, b"rubbish", encode_pointer(planned(version=7))])
def test_a_generation_may_replace_none_an_unreadable_or_an_equally_new_one(live):
    refuse_older(planned(version=7), live)


def test_a_generation_may_not_replace_a_newer_one():
    with pytest.raises(BuildRejected, match="older"):
        refuse_older(planned(version=6), encode_pointer(planned(version=7)))
