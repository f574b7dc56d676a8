"""The pointer, and what may be served or replaced."""

import msgspec
import pytest

from cache.changes import Head
from cache.errors import CacheIncomplete
from cache.generation import Generation, decode_pointer, encode_pointer, servable
from tests.support.cache_keys import SECOND, first_key, token_keys
from tests.support.positions import position


def planned(entries=0, version=7, segment_blocks=4_095):
    return Generation.plan(
        position=position(version, 1_795_000_000_000),
        token_key="a44c8ab454c8225f",
        entries=entries,
        segment_blocks=segment_blocks,
    )


@pytest.mark.parametrize(
    ("entries", "blocks", "buckets", "segments"),
    [
        (0, 64, 43, 1),
        (2_048, 64, 43, 1),
        (2_049, 65, 43, 1),
        (2_065, 65, 44, 1),
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


@pytest.mark.parametrize(("entries", "room"), [(0, 2_048), (2_048, 2_048), (10**6, 10**6)])
def test_a_generation_is_full_with_a_seventh_more_than_it_has_room_for(entries, room):
    generation = planned(entries)
    assert not generation.is_full(0)
    assert not generation.is_full(int(room * 1.13) - entries)
    assert generation.is_full(int(room * 1.15) - entries)


def test_a_generation_begins_with_what_it_was_built_from():
    generation = planned(version=7)
    assert generation.first_head() == Head.at(position(7, 1_795_000_000_000))


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
        changed(layout=4),
        changed(id="../live"),
        changed(blocks=0),
        changed(buckets=0),
        changed(segment_blocks=0),
        changed(version=-1),
        changed(entries="5"),
    ],
    # An id is drawn at random, so it is in no test's name.
    ids=[
        "nothing",
        "no text",
        "no fields",
        "a list",
        "old layout",
        "layout",
        "id",
        "blocks",
        "buckets",
        "segment_blocks",
        "version",
        "entries",
    ],
)
def test_a_pointer_that_cannot_be_read_proves_nothing(raw):
    with pytest.raises(CacheIncomplete):
        servable(raw, token_keys())


def test_a_pointer_with_a_field_of_a_later_release_is_read():
    assert decode_pointer(changed(colour="blue")).version == 7


def test_a_missing_pointer_proves_nothing():
    with pytest.raises(CacheIncomplete, match="no generation"):
        servable(None, token_keys())


def test_a_generation_of_another_token_key_proves_nothing():
    with pytest.raises(CacheIncomplete, match="not held"):
        servable(encode_pointer(planned()), first_key(bytes(32)))


def test_the_key_of_a_generation_may_be_learned_later():
    held, later = first_key(), token_keys()
    second = msgspec.structs.replace(planned(), token_key=later.numbered(2).fingerprint)
    with pytest.raises(CacheIncomplete, match="not held"):
        servable(encode_pointer(second), held)
    held.learn({2: SECOND})
    generation, key = servable(encode_pointer(second), held)
    assert (generation, key.number, held.current.number) == (second, 2, 1)
