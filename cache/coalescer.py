"""Lets lookups that run at once share round trips.

While one exchange is in flight later asks queue, and go out together when it is back: alone an ask
waits for nobody, in a crowd a hundred share one trip. An ask never joins an exchange that began
before it. Knows nothing of Redis.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

from cache.errors import CacheError, CacheUnavailable
from cache.store import Lookup
from cache.token import Token


class Ask:
    """Some tokens, and whoever waits for their lookup."""

    __slots__ = ("answer", "tokens")

    def __init__(self, tokens: Sequence[Token], answer: asyncio.Future[Lookup]) -> None:
        self.tokens = tokens
        self.answer = answer

    def settle(self, lookup: Lookup) -> None:
        """Give the answer, unless the asker has gone."""
        if not self.answer.done():
            self.answer.set_result(lookup)

    def fail(self, error: BaseException) -> None:
        """Give an error of its own: a shared one would gather everybody's traceback."""
        if self.answer.done():
            return
        own = type(error)(*error.args) if isinstance(error, CacheError) else error
        own.__cause__ = error.__cause__
        self.answer.set_exception(own)
        self.answer.exception()  # an asker who leaves at this moment is no lost error


class Coalescer:
    """Hands the waiting asks to `serve`, one exchange at a time.

    `serve` settles or fails each ask it is given; what it raises reaches those it left open, and
    CacheUnavailable reaches everyone who waits, since the next exchange would only wait again.
    """

    def __init__(
        self,
        serve: Callable[[list[Ask]], Awaitable[None]],
        *,
        tokens_max: int,
        waiting_max: int,
    ) -> None:
        self._serve = serve
        self._tokens_max = tokens_max
        self._waiting_max = waiting_max
        self._waiting: deque[Ask] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False

    async def ask(self, tokens: Sequence[Token]) -> Lookup:
        """Wait for the lookup of these tokens, `tokens_max` at most.

        Raises CacheUnavailable if `waiting_max` others wait already: Redis does not keep up.
        """
        if self._closed:
            raise CacheUnavailable("the cache is closed")
        if len(self._waiting) >= self._waiting_max:
            raise CacheUnavailable("too many lookups wait for Redis")
        ask = Ask(tokens, asyncio.get_running_loop().create_future())
        self._waiting.append(ask)
        # A task of its own, so that an asker who is cancelled takes nobody along.
        if self._pump is None:
            self._pump = asyncio.create_task(self._run())
        return await ask.answer

    async def aclose(self) -> None:
        """Stop, and fail whoever waits."""
        self._closed = True
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        self._fail(self._waiting, CacheUnavailable("the cache is closed"))

    async def _run(self) -> None:
        batch: list[Ask] = []
        try:
            while batch := self._take():
                await self._serve_or_fail(batch)
        finally:
            self._pump = None
            self._fail(batch, CacheUnavailable("the cache is closed"))

    async def _serve_or_fail(self, batch: list[Ask]) -> None:
        try:
            await self._serve(batch)
        except CacheUnavailable as error:
            self._fail([*batch, *self._waiting], error)
            self._waiting.clear()
        except Exception as error:  # whatever it is, the askers must not wait for ever
            self._fail(batch, error)

    def _take(self) -> list[Ask]:
        batch: list[Ask] = []
        room = self._tokens_max
        while self._waiting and (not batch or len(self._waiting[0].tokens) <= room):
            ask = self._waiting.popleft()
            if not ask.answer.done():
                batch.append(ask)
                room -= len(ask.tokens)
        return batch

    @staticmethod
    def _fail(asks: Iterable[Ask], error: BaseException) -> None:
        for ask in asks:
            ask.fail(error)
