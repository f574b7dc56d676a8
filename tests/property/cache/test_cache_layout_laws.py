"""Laws of what is written: nobody listed is ever proven absent."""

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cache.filter import BLOCK_BYTES, block_index, block_mask, may_contain
from cache.generation import Generation
from cache.layout import SENTINEL, Bucket, Segment, lay_out
from tests.support.positions import position

tokens = st.binary(min_size=16, max_size=16)
# Tokens that share a first word share block and bucket: the crowded case.
crowded = st.binary(min_size=12, max_size=12).map(lambda rest: b"\x80\x00\x00\x00" + rest)
lists = st.dictionaries(tokens | crowded, st.binary(max_size=64), max_size=300)


def laid_out(listed, segment_blocks, batch=1_000):
    """Return the generation of a list, its buckets and its segments, by index."""
    generation = Generation.plan(
        position=position(1), token_key="", entries=len(listed), segment_blocks=segment_blocks
    )
    # Checksums are of one generation: so that two builds can be compared, their ids are the same.
    generation = msgspec.structs.replace(generation, id="0" * 32)

    async def gather():
        async def stream():
            entries = sorted(listed.items())
            for start in range(0, len(entries), batch):
                yield entries[start : start + batch]

        return [
            piece async for pieces in lay_out(stream(), generation, bytes(32)) for piece in pieces
        ]

    pieces = asyncio.run(gather())
    buckets = [piece for piece in pieces if isinstance(piece, Bucket)]
    segments = [piece for piece in pieces if isinstance(piece, Segment)]
    return generation, buckets, segments


@given(listed=lists, segment_blocks=st.integers(1, 5))
def test_the_filter_never_denies_a_listed_token(listed, segment_blocks):
    generation, _, segments = laid_out(listed, segment_blocks)
    for token in listed:
        segment, start = generation.block_of(token)
        assert may_contain(segments[segment].data[start : start + BLOCK_BYTES], token)


@given(listed=lists, segment_blocks=st.integers(1, 5))
def test_the_filter_is_the_union_of_its_tokens_bits_and_no_more(listed, segment_blocks):
    generation, _, segments = laid_out(listed, segment_blocks)
    blocks = [0] * generation.blocks
    for token in listed:
        blocks[block_index(token, generation.blocks)] |= block_mask(token)
    assert b"".join(segment.data for segment in segments) == b"".join(
        block.to_bytes(BLOCK_BYTES) for block in blocks
    )
    assert sum(segment.bits for segment in segments) == sum(map(int.bit_count, blocks))


@given(listed=lists, segment_blocks=st.integers(1, 5))
def test_every_entry_lies_in_its_bucket_and_every_bucket_has_a_sentinel(listed, segment_blocks):
    generation, buckets, _ = laid_out(listed, segment_blocks)
    for token, value in listed.items():
        assert buckets[generation.bucket_of(token)].fields[token] == value
    assert all(SENTINEL in bucket.fields for bucket in buckets)
    assert sum(len(bucket.fields) - 1 for bucket in buckets) == len(listed)


@given(listed=lists, segment_blocks=st.integers(1, 5), batch=st.integers(1, 50))
def test_the_cuts_between_batches_mean_nothing(listed, segment_blocks, batch):
    _, *whole = laid_out(listed, segment_blocks)
    _, *cut = laid_out(listed, segment_blocks, batch)
    assert cut == whole


@given(listed=lists, segment_blocks=st.integers(1, 5))
def test_every_piece_comes_once_in_order_and_whole(listed, segment_blocks):
    generation, buckets, segments = laid_out(listed, segment_blocks)
    assert [bucket.index for bucket in buckets] == list(range(generation.buckets))
    assert [segment.index for segment in segments] == list(range(generation.segments))
    assert [len(segment.data) for segment in segments] == [
        generation.segment_bytes(index) for index in range(generation.segments)
    ]


@given(token=tokens, block=st.binary(min_size=64, max_size=64))
def test_a_block_may_contain_a_token_exactly_if_it_has_all_its_bits(token, block):
    mask = block_mask(token)
    assert may_contain(block, token) == (int.from_bytes(block) & mask == mask)


@given(one=tokens, other=tokens, blocks=st.integers(1, 10**6))
def test_places_follow_the_order_of_tokens(one, other, blocks):
    low, high = sorted([one, other])
    assert 0 <= block_index(low, blocks) <= block_index(high, blocks) < blocks


@given(token=tokens)
def test_a_token_has_one_to_eight_bits_in_its_block(token):
    assert 1 <= block_mask(token).bit_count() <= 8
