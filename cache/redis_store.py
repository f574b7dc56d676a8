"""The store on Redis: Redis or Valkey from 6.2 on, plain strings and hashes, no module.

Three connections, so that no question waits behind another kind: lookups, short questions, and
building with a time-out of its own. A connection is made by the first question.
"""

import time
from collections.abc import Callable, Sequence
from typing import Self

import msgspec

from cache.breaker import Breaker
from cache.changes import Position
from cache.eviction import refuse_evicting_by
from cache.generation import SEGMENT_BLOCKS, Generation, decode_pointer
from cache.keys import DEFAULT_NAMESPACE, Keys
from cache.layout import Entries
from cache.redis_build import RedisBuild
from cache.redis_cluster import keys_at
from cache.redis_lookup import RedisLookup
from cache.redis_pipe import POLICY_QUESTION, Pipe
from cache.replies import reads_replies
from cache.store import Lookup
from cache.token import Token
from cache.token_key import TokenKeys


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for Redis, in seconds."""

    # A sale waits for a lookup; healthy, Redis takes a hundredth of this.
    lookup_s: float = 0.05
    # Nobody waits for a short question of a work.
    question_s: float = 0.25
    build_s: float = 30.0
    # How long nobody asks after a failed lookup.
    pause_s: float = 0.5


class RedisStandingCache:
    """`StandingCache` on one Redis, for any number of tasks of one event loop."""

    def __init__(
        self, *, lookups: RedisLookup, builds: RedisBuild, questions: Pipe, keys: Keys
    ) -> None:
        self._lookups = lookups
        self._builds = builds
        self._questions = questions
        self._keys = keys

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        token_keys: TokenKeys,
        namespace: str = DEFAULT_NAMESPACE,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.monotonic,
        segment_blocks: int = SEGMENT_BLOCKS,
    ) -> Self:
        """Return the store at a URL (`cache.redis_url`); connects when first asked.

        A generation whose key is not among `token_keys` is not served. `clock` gives seconds, for
        the breaker alone.
        """
        keys = keys_at(url, namespace)
        return cls(
            lookups=RedisLookup(
                Pipe(url, keys.stem, timeout_s=patience.lookup_s),
                keys,
                token_keys=token_keys,
                breaker=Breaker(clock=clock, pause_s=patience.pause_s),
            ),
            builds=RedisBuild(
                Pipe(url, keys.stem, timeout_s=patience.build_s),
                keys,
                token_keys=token_keys,
                segment_blocks=segment_blocks,
            ),
            questions=Pipe(url, keys.stem, timeout_s=patience.question_s),
            keys=keys,
        )

    async def lookup(self, tokens: Sequence[Token]) -> Lookup:
        """See `StandingCache.lookup`."""
        return await self._lookups.lookup(tokens)

    @reads_replies
    async def current(self) -> Generation | None:
        """See `StandingCache.current`."""
        [raw] = await self._questions.ask([("GET", self._keys.pointer)])
        return None if raw is None else decode_pointer(raw)

    async def build(
        self,
        *,
        position: Position,
        token_key: str,
        count: int,
        entries: Entries,
    ) -> Generation:
        """See `StandingCache.build`."""
        return await self._builds.build(
            position=position, token_key=token_key, count=count, entries=entries
        )

    async def switch(self, generation: Generation) -> None:
        """See `StandingCache.switch`."""
        await self._builds.switch(generation)

    async def give_up(self, generation: Generation) -> None:
        """See `StandingCache.give_up`."""
        await self._questions.ask([("DEL", self._keys.marker(generation.id))])

    async def withdraw(self) -> None:
        """See `StandingCache.withdraw`."""
        await self._questions.ask([("DEL", self._keys.pointer, self._keys.vouched)])

    async def request_rebuild(self, generation_id: str) -> None:
        """See `StandingCache.request_rebuild`."""
        await self._questions.ask([("SET", self._keys.rebuild, generation_id)])

    async def sweep(self) -> int:
        """See `StandingCache.sweep`."""
        return await self._builds.sweep()

    @reads_replies
    async def verify_policy(self) -> None:
        """See `StandingCache.verify_policy`."""
        [facts] = await self._questions.ask([POLICY_QUESTION])
        refuse_evicting_by(facts)

    async def ping(self) -> None:
        """See `StandingCache.ping`."""
        await self._questions.ask([("PING",)])

    async def aclose(self) -> None:
        """See `StandingCache.aclose`."""
        await self._lookups.aclose()
        await self._builds.aclose()
        await self._questions.aclose()
