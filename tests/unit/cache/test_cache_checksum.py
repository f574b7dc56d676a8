"""Checksums of parts: no part passes for another, and no content for another."""

import pytest

from cache.changes import Head
from cache.checksum import (
    PAGE_BYTES,
    Checksums,
    buckets_of,
    decode_sum,
    moved,
    record_fields,
    shelf_of,
    shelves,
    total_of,
)
from cache.errors import CacheIncomplete
from cache.generation import Generation
from cache.token import Tokenizer
from tests.support.positions import OTHER_LINE, position

KEY = bytes(range(32))
ONE = Checksums(KEY, "0" * 32)
TOKENS = [bytes([number]) * 16 for number in range(3)]
HEAD = Head.at(position(7))


def test_a_bucket_has_another_checksum_with_another_content_or_place():
    seen = {
        ONE.bucket(0, TOKENS, [b"a", b"b", b"c"]),
        ONE.bucket(1, TOKENS, [b"a", b"b", b"c"]),
        ONE.bucket(0, TOKENS, [b"ab", b"", b"c"]),
        ONE.bucket(0, TOKENS[:2], [b"a", b"b"]),
        ONE.bucket(0, [], []),
        ONE.bucket(1, [], []),
        Checksums(KEY, "1" * 32).bucket(0, [], []),
        Checksums(bytes(32), "0" * 32).bucket(0, [], []),
    }
    assert len(seen) == 8


def test_a_page_has_another_checksum_in_another_place():
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len({ONE.page(*place, bytes(PAGE_BYTES)) for place in places}) == 4


def test_a_segment_is_the_sum_of_its_pages():
    data = bytes(range(256)) * 9
    pages = [data[start : start + PAGE_BYTES] for start in range(0, len(data), PAGE_BYTES)]
    assert [len(page) for page in pages] == [1024, 1024, 256]
    whole = ONE.segment(3, data)
    assert whole == total_of(ONE.page(3, number, page) for number, page in enumerate(pages))
    other = bytes(1024)
    old, new = ONE.page(3, 1, pages[1]), ONE.page(3, 1, other)
    assert moved(whole, old, new) == ONE.segment(3, pages[0] + other + pages[2])


def test_a_seal_opens_for_its_total_and_its_head_alone():
    raw = ONE.seal(5, HEAD).encode()
    assert ONE.opened(raw, HEAD) == 5
    others = (
        Head.at(position(8)),
        Head.at(position(7, line=OTHER_LINE)),
        Head.at(position(7), partial="a:1"),
    )
    for head in others:
        with pytest.raises(CacheIncomplete, match="seal"):
            ONE.opened(raw, head)
    with pytest.raises(CacheIncomplete, match="seal"):
        ONE.opened(ONE.seal(6, HEAD).encode()[:16] + raw[16:], HEAD)


@pytest.mark.parametrize("raw", [None, b"", b"1" * 15])
def test_a_number_that_is_missing_or_cut_short_is_not_read(raw):
    with pytest.raises(CacheIncomplete):
        decode_sum(raw)
    with pytest.raises(CacheIncomplete):
        ONE.opened(raw, HEAD)


@pytest.mark.parametrize("fields", [{b"short": b"v"}, {bytes(17): b"v"}, {bytes(16): bytes(65)}])
def test_a_bucket_that_holds_what_no_build_writes_has_no_checksum(fields):
    with pytest.raises(CacheIncomplete):
        ONE.held_bucket(0, fields | {b"!": b""}, b"!")


@pytest.mark.parametrize(("entries", "expected"), [(0, 1), (48 * 64, 1), (48 * 64 + 1, 2)])
def test_every_bucket_stands_on_one_shelf(entries, expected):
    generation = Generation.plan(
        position=position(1), token_key="", entries=entries, segment_blocks=10
    )
    assert shelves(generation) == expected
    placed = [bucket for shelf in range(expected) for bucket in buckets_of(generation, shelf)]
    assert placed == list(range(generation.buckets))
    assert [shelf_of(bucket) for bucket in placed] == sorted(map(shelf_of, placed))
    fields = record_fields(generation)
    assert len(set(fields)) == len(fields) == generation.segments + expected


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Checksums(bytes(15), "0" * 32)


def test_the_key_of_checksums_is_neither_the_token_key_nor_its_name():
    made = Tokenizer(KEY).checksum_key
    assert len(made) == 32
    assert made != KEY
    assert not made.hex().startswith(Tokenizer(KEY).fingerprint)
    assert made != Tokenizer(bytes(32)).checksum_key
