"""The publisher's side on Redis: each step is one script, which judges and writes at once.

Redis's own clock decides whether a vouch comes too late. Redis returns its time with each state and
each vouch. Between two replies the time of Redis is computed from our clock, as the earliest time
that is possible. A caller asks for the state before it asks the registry. A clock counts for the
connection by which it was read, and for no other. So the time is never computed from a Redis that
another Redis has replaced since.
"""

import time
from collections.abc import Callable
from importlib.resources import files
from typing import Self

import msgspec

from cache.amendment import amend
from cache.changes import CHANGES_KEPT, Change, Head, Position, decode_head, positions_in, seal_of
from cache.checksum import Checksums
from cache.errors import CacheIncomplete, ChangeRefused
from cache.generation import Generation, decode_pointer, key_of
from cache.keys import DEFAULT_NAMESPACE, Keys
from cache.layout import SENTINEL
from cache.lease import VOUCH_MS, WRITE_DEADLINE_S
from cache.list_writer import ChangeSlice, State, entry_of, slices
from cache.parts import HeldParts, touched_by
from cache.redis_apply import apply_command
from cache.redis_cluster import keys_at
from cache.redis_lookup import run_id_of
from cache.redis_parts import RedisParts
from cache.redis_pipe import Command, Pipe, Reply
from cache.replica_source import membership
from cache.replies import reads_replies
from cache.token_key import TokenKeys

_VOUCH = files("cache").joinpath("vouch.lua").read_text(encoding="utf-8")

# A switch between two reads lets the answers after the pointer belong to another generation.
_ATTEMPTS_MAX = 3

_NO_GENERATION = "none"

_ELSEWHERE = "the generation does not stand where the change begins"


class _Clock(msgspec.Struct, frozen=True):
    """The reading of Redis's clock before `received_at` of our clock, and by which connection."""

    redis_ms: int
    received_at: float
    connection: int

    def at_least(self, now: float) -> float:
        """Return the least that Redis's clock shows at `now` of ours, in milliseconds."""
        return self.redis_ms + (now - self.received_at) * 1000


class RedisListWriter:
    """`ListWriter` on Redis, for one task at a time."""

    def __init__(
        self, pipe: Pipe, keys: Keys, *, token_keys: TokenKeys, clock: Callable[[], float]
    ) -> None:
        self._pipe = pipe
        self._keys = keys
        self._parts = RedisParts(pipe, keys)
        self._token_keys = token_keys
        self._clock = clock
        self._redis_clock: _Clock | None = None
        self._live_id = _NO_GENERATION

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        token_keys: TokenKeys,
        namespace: str = DEFAULT_NAMESPACE,
        timeout_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Return the publisher's side at a URL; connects when first asked. `clock`: seconds."""
        keys = keys_at(url, namespace)
        pipe = Pipe(url, keys.stem, timeout_s=timeout_s)
        return cls(pipe, keys, token_keys=token_keys, clock=clock)

    @reads_replies
    async def state(self) -> State:
        """See `ListWriter.state`."""
        keys = self._keys
        for _ in range(_ATTEMPTS_MAX):
            raw, raw_head, rebuild, sentinel, info, time_of = await self._pipe.ask(
                [
                    ("GET", keys.pointer),
                    ("GET", keys.head(self._live_id)),
                    ("GET", keys.rebuild),
                    ("HGET", keys.nodes, SENTINEL),
                    ("INFO", "server"),
                    ("TIME",),
                ]
            )
            generation = _readable(raw)
            live_id = _NO_GENERATION if generation is None else generation.id
            if live_id == self._live_id:
                break
            self._live_id = live_id
        else:
            raise CacheIncomplete("the list is switched faster than it can be read")
        self._read_clock(time_of)
        head = None if generation is None else _readable_head(raw_head)
        nodes = membership(
            {} if sentinel is None else {SENTINEL: sentinel},
            run=run_id_of(info).decode(),
            now_ms=_milliseconds(*time_of),
            head=None,
        )
        return State(
            generation=None if head is None else generation,
            head=head,
            rebuild_wanted=None if rebuild is None else rebuild.decode(errors="replace"),
            nodes_whole=nodes.whole,
        )

    async def apply(self, generation: Generation, change: Change, *, live: bool) -> None:
        """See `ListWriter.apply`."""
        key = key_of(generation, self._token_keys)
        for part in slices(change, key):
            await self._apply_slice(generation, change, part, key.checksum_key, live=live)

    @reads_replies
    async def _apply_slice(
        self,
        generation: Generation,
        change: Change,
        part: ChangeSlice,
        checksum_key: bytes,
        *,
        live: bool,
    ) -> None:
        checksums = Checksums(checksum_key, generation.id)
        held = await self._parts.held(generation, touched_by(part, generation))
        _refuse_elsewhere(held, change, live=live)
        reached = change.after if part.is_last else change.before
        amendment = amend(checksums, generation, part, held, reached)
        sealed = seal_of(entry_of(change, part), checksum_key)
        command = apply_command(
            self._keys, generation, change, part, amendment, seal=sealed, live=live
        )
        [outcome] = await self._pipe.ask([command])
        if outcome == 0:
            raise ChangeRefused(_ELSEWHERE)
        if outcome != 1:
            lost = "a filter segment" if outcome == -1 else "a bucket or its sentinel"
            raise CacheIncomplete(f"{lost} is missing or cut short")

    @reads_replies
    async def vouch(self, generation: Generation, position: Position, *, asked_ms_ago: int) -> bool:
        """See `ListWriter.vouch`."""
        asked_at = self._clock() - asked_ms_ago / 1000
        if self._redis_clock is None:
            [time_of] = await self._pipe.ask([("TIME",)])
            self._read_clock(time_of)
        assert self._redis_clock is not None
        if self._redis_clock.connection != self._pipe.connections:
            # Another Redis may answer, with another clock: it is read with the next state.
            self._redis_clock = None
            return False
        asked_ms = int(self._redis_clock.at_least(asked_at))
        keys = self._keys
        names = (
            keys.pointer,
            keys.head(generation.id),
            keys.vouched,
            keys.changes,
            keys.nodes,
        )
        at = (position.version, position.as_of_ms, position.change_id, position.history)
        deadlines = (asked_ms + round(WRITE_DEADLINE_S * 1000), asked_ms + VOUCH_MS)
        command: Command = (
            "EVAL",
            _VOUCH,
            len(names),
            *names,
            generation.id,
            *at,
            *deadlines,
            CHANGES_KEPT,
            f":{deadlines[1]}" if self._pipe.in_cluster else "",
        )
        # Never sent again: the Redis that another connection leads to may have been set back.
        [(said, *time_of)] = await self._pipe.ask([command], again=False)
        self._read_clock(time_of)
        return bool(said)

    @reads_replies
    async def recent(self) -> tuple[Position, ...]:
        """See `ListWriter.recent`."""
        [entries] = await self._pipe.ask([("XRANGE", self._keys.changes, "-", "+")])
        return positions_in(dict(zip(flat[::2], flat[1::2], strict=True)) for _, flat in entries)

    async def aclose(self) -> None:
        """See `ListWriter.aclose`."""
        await self._pipe.aclose()

    def _read_clock(self, time_of: Reply) -> None:
        now_ms = _milliseconds(*time_of)
        self._redis_clock = _Clock(now_ms, self._clock(), self._pipe.connections)


def _refuse_elsewhere(held: HeldParts, change: Change, *, live: bool) -> None:
    """Raise ChangeRefused unless a generation, as it is held, stands where the change begins.

    A generation that was swept has lost nothing, so this is asked before its parts are judged.
    """
    stands = held.is_live if live else held.is_marked
    if held.head is None or held.head.change_id != change.before.change_id or not stands:
        raise ChangeRefused(_ELSEWHERE)


def _milliseconds(seconds: bytes | int, micros: bytes | int) -> int:
    return int(seconds) * 1000 + int(micros) // 1000


def _readable(raw: bytes | None) -> Generation | None:
    try:
        return None if raw is None else decode_pointer(raw)
    except CacheIncomplete:
        return None


def _readable_head(raw: bytes | None) -> Head | None:
    try:
        return decode_head(raw)
    except CacheIncomplete:
        return None
