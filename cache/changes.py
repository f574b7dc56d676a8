"""What a change to the live list is, how far a generation has come, and the stream of both.

A generation's head, one Redis string as JSON:
{"version":42,"as_of_ms":1795000000000,"added":7,"partial":""}. All changes up to `version` are in
the generation; `added` counts the tokens that came into its filter since it was built. `partial` is
not empty while a part of the next change is in it too, so that it is at no version for the moment:
<whose attempt to bring the change>:<how many slices of it are in>.

An entry of the stream has five fields, bytes as Redis gives them:

    v   version after it, decimal
    p   version before it, decimal
    a   instant of the change `v`, milliseconds since 1970, decimal
    t   tokens added to the filter, 16 bytes each, one behind the other; nothing of their values
    f   1 if all of `v` is in the live generation now, 0 if more entries of the same change follow

- heartbeat: v = p, no tokens, f = 1: just now the registry's newest version was v.
- change: v > p, f = 1. A big one comes in several: the first ones with v = p and f = 0.

Who was taken off the list is in no entry: a filter cannot forget, and need not. Knows no store.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from cache.errors import CacheIncomplete
from cache.token import TOKEN_BYTES, Token

CHANGES_KEPT = 4_096
"""About how many entries the stream holds; whoever has missed more loads the whole filter."""

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the list's history: the number of its newest change, and when that was made."""

    version: _Count
    as_of_ms: _Count


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a generation has taken in."""

    version: _Count
    as_of_ms: _Count
    added: _Count = 0
    partial: str = ""

    @property
    def position(self) -> Position:
        """Where in the list's history the generation stands."""
        return Position(version=self.version, as_of_ms=self.as_of_ms)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the list from version `previous` to `version`; None takes a token off it."""

    version: int
    previous: int
    as_of_ms: int
    outlines: Mapping[Token, bytes | None]


class StreamEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, as the module's docstring tells."""

    version: int
    previous: int
    as_of_ms: int
    tokens: tuple[Token, ...]
    final: bool

    @property
    def position(self) -> Position:
        """Where whoever has applied this entry, if it is final, stands."""
        return Position(version=self.version, as_of_ms=self.as_of_ms)


_encoder = msgspec.json.Encoder()
_head_decoder = msgspec.json.Decoder(Head)


def encode_head(head: Head) -> bytes:
    """Return what the key of a head holds."""
    return _encoder.encode(head)


def decode_head(raw: bytes | None) -> Head:
    """Return the head a key holds; raises CacheIncomplete if it is missing or unreadable."""
    if raw is None:
        raise CacheIncomplete("a generation's head is missing")
    try:
        return _head_decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise CacheIncomplete("a generation's head cannot be read") from error


def encode_entry(entry: StreamEntry) -> dict[bytes, bytes]:
    """Return the fields of an entry."""
    return {
        b"v": b"%d" % entry.version,
        b"p": b"%d" % entry.previous,
        b"a": b"%d" % entry.as_of_ms,
        b"t": b"".join(entry.tokens),
        b"f": b"1" if entry.final else b"0",
    }


def decode_entry(fields: Mapping[bytes, bytes]) -> StreamEntry:
    """Return the entry that has these fields; raises CacheIncomplete if they cannot be read."""
    try:
        tokens = fields[b"t"]
        if len(tokens) % TOKEN_BYTES or fields[b"f"] not in {b"0", b"1"}:
            raise ValueError
        return StreamEntry(
            version=int(fields[b"v"]),
            previous=int(fields[b"p"]),
            as_of_ms=int(fields[b"a"]),
            tokens=tuple(
                Token(tokens[start : start + TOKEN_BYTES])
                for start in range(0, len(tokens), TOKEN_BYTES)
            ),
            final=fields[b"f"] == b"1",
        )
    except (KeyError, ValueError) as error:
        raise CacheIncomplete("an entry of the stream cannot be read") from error
