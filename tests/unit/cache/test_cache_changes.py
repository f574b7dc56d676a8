"""Heads and the entries of the stream, as bytes."""

import pytest

from cache.changes import (
    Head,
    StreamEntry,
    decode_entry,
    decode_head,
    encode_entry,
    encode_head,
    open_entry,
    positions_in,
    seal_of,
)
from cache.errors import CacheIncomplete
from tests.support.positions import change_id, position

ONE, TWO = b"\x01" * 16, b"\x02" * 16
CHANGE = StreamEntry(
    position=position(7, 1_795),
    previous=5,
    previous_id=change_id(5),
    tokens=(ONE, TWO),
    final=True,
)
FIELDS = {
    b"v": b"7",
    b"p": b"5",
    b"a": b"1795",
    b"i": b"a0000000000000000000000000000007",
    b"b": b"a0000000000000000000000000000005",
    b"h": b"a" * 32,
    b"t": ONE + TWO,
    b"f": b"1",
}


def test_an_entry_has_the_documented_fields():
    assert encode_entry(CHANGE) == FIELDS
    assert decode_entry(FIELDS) == CHANGE
    assert not CHANGE.is_heartbeat


def test_a_heartbeat_has_no_tokens():
    beat = StreamEntry.heartbeat(position(7))
    assert beat.is_heartbeat
    assert encode_entry(beat)[b"t"] == b""
    assert decode_entry(encode_entry(beat)) == beat


@pytest.mark.parametrize(
    "damage",
    [
        {b"t": ONE + b"\x02"},
        {b"f": b"2"},
        {b"f": b""},
        {b"v": b""},
        {b"v": b"seven"},
        {b"a": b"1.5"},
    ],
)
def test_an_entry_that_cannot_be_read_is_told(damage):
    with pytest.raises(CacheIncomplete, match="entry"):
        decode_entry(FIELDS | damage)


@pytest.mark.parametrize("missing", [*FIELDS])
def test_an_entry_that_lacks_a_field_is_told(missing):
    with pytest.raises(CacheIncomplete, match="entry"):
        decode_entry({name: value for name, value in FIELDS.items() if name != missing})


def test_a_head_reads_back_as_it_was_written():
    head = Head.at(position(42, 1_795_000_000_000), added=7)
    written = (
        b'{"version":42,"as_of_ms":1795000000000,"change_id":"a000000000000000000000000000002a",'
        b'"history":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","added":7,"partial":""}'
    )
    assert encode_head(head) == written
    assert decode_head(encode_head(head)) == head
    assert head.position == position(42, 1_795_000_000_000)


def test_entries_name_their_positions_once_and_what_cannot_be_read_names_none():
    beat = encode_entry(StreamEntry.heartbeat(position(7, 1_795)))
    entries = [encode_entry(StreamEntry.heartbeat(position(5))), FIELDS, beat, {b"v": b"8"}]
    assert positions_in(entries) == (position(5), position(7, 1_795))


@pytest.mark.parametrize("raw", [None, b"", b"[]", b"{}", b'{"version":1,"as_of_ms":0,"added":0}'])
def test_a_head_that_is_missing_or_cannot_be_read_is_told(raw):
    with pytest.raises(CacheIncomplete, match="head"):
        decode_head(raw)


def test_an_entry_with_a_token_that_was_changed_cannot_be_opened():
    key = bytes(32)
    whole = encode_entry(CHANGE, seal_of(CHANGE, key))
    assert open_entry(whole, key) == CHANGE
    changed = {
        b"t": whole[b"t"][:-1] + b"\x03",
        b"i": change_id(8).encode(),
        b"b": change_id(6).encode(),
        b"f": b"0",
        b"c": bytes(16),
    }
    for field, value in changed.items():
        with pytest.raises(CacheIncomplete):
            open_entry(whole | {field: value}, key)
    with pytest.raises(CacheIncomplete):
        open_entry({name: value for name, value in whole.items() if name != b"c"}, key)
    beat = StreamEntry.heartbeat(position(7))
    assert open_entry(encode_entry(beat, seal_of(beat, key)), key) == beat
