"""A change to the live list, the head of a generation, and the entries of the stream of changes.

A position in the list's history is a number and an id. The number alone is not enough: after a
failover to an older state of the registry the next change gets a number that was used before. The
id of a change is random and is drawn by the transaction that makes the change, so two changes never
share an id. Two positions are the same if and only if their ids are the same. Version numbers only
order positions of one history.

A generation's head, one Redis string as JSON: {"version":42,"as_of_ms":1795000000000,
"change_id":"<32 hex digits>","history":"<32 hex digits>","added":7,"partial":""}. All changes up to
`change_id` are in the generation. `added` counts the tokens that came into its filter since it was
built. `partial` is not empty while a part of the next change is in the generation too. Then the
generation is at no version: <id of the attempt to bring the change>:<number of slices brought>.

An entry of the stream has eight fields, and a seal where it has tokens, bytes as Redis gives them:

    v   version after it, decimal
    p   version before it, decimal
    a   instant of the change `v`, milliseconds since 1970, decimal
    i   id of the change `v`
    b   id of the change `p`
    h   history of the change `v`
    t   tokens added to the filter, as the live generation stores them, 16 bytes each, one behind
        the other; nothing of their values
    f   1 if all of `v` is in the live generation now, 0 if more entries of the same change follow
    c   the seal: a keyed BLAKE2b-128 of i, b, f and t. A token that a bad line or somebody changed
        would be missing in a replica, and its person would be allowed

- heartbeat: v = p, i = b, no tokens, f = 1: just now the registry's newest change was i.
- change: v > p, f = 1. A big change has several entries: the first ones have v = p, i = b, f = 0.

Tokens that were taken off the list are in no entry: a filter cannot forget, and need not. This file
knows no store.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Annotated, Self

import msgspec

from cache.errors import CacheIncomplete
from cache.token import TOKEN_BYTES, StoredToken, Token

CHANGES_KEPT = 4_096
"""About how many entries the stream holds; a node that has missed more loads the whole filter."""

COUNT_MAX = (1 << 63) - 1
"""The largest number of PostgreSQL's bigint: a greater one is no version of ours."""

SEAL_BYTES = 16

_Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]


Name = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
"""A random name: the id of a change, or of a history."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the list's history: its newest change, by number and id, and the instant of it.

    `history` is the public name of the line of versions. It is shown, and never compared here.
    """

    version: _Count
    as_of_ms: _Count
    change_id: Name
    history: Name


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The changes that a generation contains."""

    version: _Count
    as_of_ms: _Count
    change_id: Name
    history: Name
    added: _Count = 0
    partial: str = ""

    @classmethod
    def at(cls, position: Position, *, added: int = 0, partial: str = "") -> Self:
        """Return the head of a generation that contains all changes up to `position`."""
        return cls(
            version=position.version,
            as_of_ms=position.as_of_ms,
            change_id=position.change_id,
            history=position.history,
            added=added,
            partial=partial,
        )

    @property
    def position(self) -> Position:
        """The place in the list's history at which the generation stands."""
        return Position(
            version=self.version,
            as_of_ms=self.as_of_ms,
            change_id=self.change_id,
            history=self.history,
        )


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the list from `before` to `after`; the outline None takes a token off the list."""

    before: Position
    after: Position
    outlines: Mapping[Token, bytes | None]


class StreamEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the stream; the module's docstring names its fields."""

    position: Position
    previous: int
    previous_id: str
    tokens: tuple[StoredToken, ...]
    final: bool

    @classmethod
    def heartbeat(cls, position: Position) -> Self:
        """Return the heartbeat that names `position` as the registry's newest change."""
        return cls(
            position=position,
            previous=position.version,
            previous_id=position.change_id,
            tokens=(),
            final=True,
        )

    @property
    def is_heartbeat(self) -> bool:
        """Whether the entry is a heartbeat, and so changes nothing."""
        return self.final and self.previous_id == self.position.change_id


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


def positions_in(entries: Iterable[Mapping[bytes, bytes]]) -> tuple[Position, ...]:
    """Return the positions that entries of the stream name, each once, in their order."""
    found: dict[str, Position] = {}
    for fields in entries:
        with suppress(CacheIncomplete):
            position = decode_entry(fields).position
            found.setdefault(position.change_id, position)
    return tuple(found.values())


def seal_of(entry: StreamEntry, checksum_key: bytes) -> bytes:
    """Return the seal of an entry with tokens; an entry without tokens has none."""
    if not entry.tokens:
        return b""
    names = (entry.position.change_id + entry.previous_id).encode()
    sealed = names + (b"1" if entry.final else b"0") + b"".join(entry.tokens)
    return blake2b(sealed, key=checksum_key, digest_size=SEAL_BYTES, person=b"stream").digest()


def encode_entry(entry: StreamEntry, seal: bytes = b"") -> dict[bytes, bytes]:
    """Return the fields of an entry."""
    sealed = {b"c": seal} if seal else {}
    return sealed | {
        b"v": b"%d" % entry.position.version,
        b"p": b"%d" % entry.previous,
        b"a": b"%d" % entry.position.as_of_ms,
        b"i": entry.position.change_id.encode(),
        b"b": entry.previous_id.encode(),
        b"h": entry.position.history.encode(),
        b"t": b"".join(entry.tokens),
        b"f": b"1" if entry.final else b"0",
    }


def open_entry(fields: Mapping[bytes, bytes], checksum_key: bytes) -> StreamEntry:
    """Return the entry that has these fields.

    Raises CacheIncomplete if they cannot be read, or if the tokens do not match their seal.
    """
    entry = decode_entry(fields)
    if fields.get(b"c", b"") != seal_of(entry, checksum_key):
        raise CacheIncomplete("an entry of the stream does not match its seal")
    return entry


def decode_entry(fields: Mapping[bytes, bytes]) -> StreamEntry:
    """Return the entry that has these fields; raises CacheIncomplete if they cannot be read."""
    try:
        tokens = fields[b"t"]
        if len(tokens) % TOKEN_BYTES or fields[b"f"] not in {b"0", b"1"}:
            raise ValueError
        return StreamEntry(
            position=Position(
                version=int(fields[b"v"]),
                as_of_ms=int(fields[b"a"]),
                change_id=fields[b"i"].decode(),
                history=fields[b"h"].decode(),
            ),
            previous=int(fields[b"p"]),
            previous_id=fields[b"b"].decode(),
            tokens=tuple(
                StoredToken(tokens[start : start + TOKEN_BYTES])
                for start in range(0, len(tokens), TOKEN_BYTES)
            ),
            final=fields[b"f"] == b"1",
        )
    except (KeyError, ValueError) as error:
        raise CacheIncomplete("an entry of the stream cannot be read") from error
