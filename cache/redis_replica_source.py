"""`ReplicaSource` on Redis or Valkey from 6.2 on.

Three connections, so that no question waits behind another: one waits in the stream, one loads
filters, one has short questions. No call is atomic over several commands; the order of the commands
is enough:

- load: the stream's end, then the pointer and the head, then the bits. A change that is written
  meanwhile is in the bits, or behind the cursor, or both. At the end all three are read once more,
  with the run of Redis. A Redis that was set back meanwhile may have returned bits from before the
  head that was read, and may have been brought to that head again since.
- read_stream: the entries, then whether the cursor's own entry is still there, then the pointer. A
  stream is trimmed from its beginning: with the cursor's entry there, no later one is gone. Reads
  by a new connection pass heartbeats over until one read has reached the end. Another server may
  have written them before the last read, which was of an old master.
- nodes: the head, then the nodes (`cache.lease` needs it so).
"""

from collections.abc import Collection
from importlib.resources import files
from typing import Self
from uuid import uuid4

import msgspec

from cache.changes import Position, decode_head
from cache.errors import CacheError, CacheIncomplete
from cache.generation import Generation, decode_pointer, servable
from cache.keys import DEFAULT_NAMESPACE, Keys
from cache.redis_cluster import keys_at
from cache.redis_lookup import run_id_of
from cache.redis_parts import RedisParts
from cache.redis_pipe import Command, Pipe, Reply
from cache.replica_source import (
    BEFORE_ALL,
    ENTRIES_AT_ONCE,
    LOADS_MAX,
    HeldChange,
    Image,
    Membership,
    StreamRead,
    membership,
    opened,
)
from cache.replies import reads_replies
from cache.token_key import TokenKeys
from cache.verification import verified_bits

_ACKNOWLEDGE = files("cache").joinpath("acknowledge.lua").read_text(encoding="utf-8")
_DROP = files("cache").joinpath("drop.lua").read_text(encoding="utf-8")


class ReplicaSourcePatience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for Redis, in seconds."""

    answer_s: float = 0.25
    # For one segment of 256 KiB.
    load_s: float = 2.0
    # The longest wait that `read_stream` may be asked for.
    stream_s: float = 1.0


class RedisReplicaSource:
    """`ReplicaSource` on one Redis; one object for each node."""

    def __init__(
        self,
        *,
        stream: Pipe,
        loads: Pipe,
        questions: Pipe,
        keys: Keys,
        token_keys: TokenKeys,
    ) -> None:
        self._stream = stream
        self._loads = loads
        self._questions = questions
        self._keys = keys
        self._token_keys = token_keys
        self._parts = RedisParts(loads, keys)
        self._author = uuid4().hex
        self._turn = 0
        self._read_by: int | None = None
        self._pointer = b""
        self._live: Generation | None = None

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        token_keys: TokenKeys,
        namespace: str = DEFAULT_NAMESPACE,
        patience: ReplicaSourcePatience = ReplicaSourcePatience(),  # noqa: B008 - frozen
    ) -> Self:
        """Return the source at a URL (`cache.redis_url`); connects when first asked."""
        keys = keys_at(url, namespace)
        return cls(
            stream=Pipe(url, keys.stem, timeout_s=patience.stream_s + patience.answer_s),
            loads=Pipe(url, keys.stem, timeout_s=patience.load_s),
            questions=Pipe(url, keys.stem, timeout_s=patience.answer_s),
            keys=keys,
            token_keys=token_keys,
        )

    @reads_replies
    async def load(self) -> Image:
        """See `ReplicaSource.load`."""
        for _ in range(LOADS_MAX):
            image = await self._load_once()
            if image is not None:
                return image
        raise CacheIncomplete("the list is switched faster than it can be loaded")

    @reads_replies
    async def read_stream(self, cursor: str, *, wait_s: float) -> StreamRead:
        """See `ReplicaSource.read_stream`."""
        changes = self._keys.changes
        # To Redis, 0 is to wait for ever.
        wait = ("BLOCK", round(wait_s * 1000)) if wait_s >= 0.001 else ()
        read: Command = ("XREAD", "COUNT", ENTRIES_AT_ONCE, *wait, "STREAMS", changes, cursor)
        given, at_cursor, pointer = await self._stream.ask(
            [read, ("XRANGE", changes, cursor, cursor), ("GET", self._keys.pointer)]
        )
        found = given[0][1] if given else []
        live = self._named_by(pointer)
        key = None if live is None else self._token_keys.known(live.token_key)
        entries = opened([_fields(flat) for _, flat in found], key)
        if entries is None:
            # The entry would be found again and again: loading anew passes over the entry.
            entries, at_cursor = (), []
        if self._read_by not in {None, self._stream.connections}:
            entries = tuple([entry for entry in entries if not entry.is_heartbeat])
        newest = len(found) < ENTRIES_AT_ONCE
        if newest:
            self._read_by = self._stream.connections
        return StreamRead(
            generation_id=None if live is None else live.id,
            cursor=found[-1][0].decode() if found else cursor,
            entries=entries,
            unbroken=bool(at_cursor) or (cursor == BEFORE_ALL and not found),
            newest=newest,
        )

    @reads_replies
    async def acknowledge(self, node: str, position: Position) -> bool:
        """See `ReplicaSource.acknowledge`."""
        turn = self._turn
        # Until Redis answers nobody knows whether the acknowledgement arrived: this turn is over.
        self._turn = turn + 1
        entry = (position.version, position.change_id, self._author, turn)
        command: Command = ("EVAL", _ACKNOWLEDGE, 1, self._keys.nodes, node, *entry)
        # A second call of this turn would find the entry of the first, and take it for a stay.
        [stayed] = await self._questions.ask([command], again=False)
        self._turn = turn
        return bool(stayed)

    async def leave(self, node: str) -> None:
        """See `ReplicaSource.leave`."""
        await self._questions.ask([("HDEL", self._keys.nodes, node)])

    @reads_replies
    async def nodes(self) -> Membership:
        """See `ReplicaSource.nodes`."""
        for _ in range(LOADS_MAX):
            asked_of = None if self._live is None else self._live.id
            pointer, raw_head, server, now, flat = await self._questions.ask(
                [
                    ("GET", self._keys.pointer),
                    ("GET", self._keys.head(asked_of or "none")),
                    ("INFO", "server"),
                    ("TIME",),
                    ("HGETALL", self._keys.nodes),
                ]
            )
            live = self._named_by(pointer)
            if live is None or live.id == asked_of:
                return membership(
                    dict(zip(flat[::2], flat[1::2], strict=True)),
                    run=run_id_of(server).decode(),
                    now_ms=int(now[0]) * 1000 + int(now[1]) // 1000,
                    head=None if live is None else _held_by(raw_head),
                )
        return Membership(whole=False, nodes={}, head=None)

    async def drop_behind(self, version: int, strangers: Collection[str] = ()) -> None:
        """See `ReplicaSource.drop_behind`."""
        await self._questions.ask([("EVAL", _DROP, 1, self._keys.nodes, version, *strangers)])

    async def aclose(self) -> None:
        """See `ReplicaSource.aclose`."""
        for pipe in (self._stream, self._loads, self._questions):
            await pipe.aclose()

    async def _load_once(self) -> Image | None:
        """Return the live generation's image; None if another one became live meanwhile."""
        changes = self._keys.changes
        info: Command = ("INFO", "server")
        last, pointer, server = await self._loads.ask(
            [("XREVRANGE", changes, "+", "-", "COUNT", 1), ("GET", self._keys.pointer), info]
        )
        generation, key = servable(pointer, self._token_keys)
        cursor = last[0][0].decode() if last else BEFORE_ALL
        head_key = self._keys.head(generation.id)
        try:
            [raw_head] = await self._loads.ask([("GET", head_key)])
            head = decode_head(raw_head)
            bits = await verified_bits(self._parts, generation, key)
        except CacheIncomplete:
            if await self._is_live(pointer):
                raise
            return None
        again: list[Command] = [("GET", self._keys.pointer), ("GET", head_key)]
        again += [("XRANGE", changes, cursor, cursor), info]
        pointer_now, raw_head_now, at_cursor, server_now = await self._loads.ask(again)
        if pointer_now != pointer or run_id_of(server_now) != run_id_of(server):
            return None
        if decode_head(raw_head_now).version < head.version:
            return None
        if cursor != BEFORE_ALL and not at_cursor:
            return None
        return Image(
            generation=generation, key=key, position=head.position, cursor=cursor, bits=bits
        )

    async def _is_live(self, pointer: bytes | None) -> bool:
        [now] = await self._loads.ask([("GET", self._keys.pointer)])
        return bool(now == pointer)

    def _named_by(self, pointer: bytes | None) -> Generation | None:
        """Return the generation that a pointer names; the same bytes need no second decoding."""
        if pointer != self._pointer or pointer is None:
            self._pointer = pointer or b""
            try:
                self._live = None if pointer is None else decode_pointer(pointer)
            except CacheIncomplete:
                self._live = None
        return self._live


def _fields(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _held_by(raw_head: Reply) -> HeldChange | None:
    try:
        head = decode_head(raw_head)
    except CacheError:
        return None
    return HeldChange(head.version, head.change_id)
