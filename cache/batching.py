"""Serves items that wait at once together: one trip, or one transaction, for many.

While as many batches are served as may be at once, later items queue, and go together with the next
batch. An item that comes alone goes alone, and waits for no company. An item never joins a batch
that began before it.

Knows neither Redis nor PostgreSQL, nor what an item is.
"""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")


class WaitingItem(Generic[I, R]):
    """An item, and the caller that waits for its result."""

    __slots__ = ("_answer", "item")

    def __init__(self, item: I, answer: asyncio.Future[R]) -> None:
        self.item = item
        self._answer = answer

    @property
    def is_open(self) -> bool:
        """Whether the caller is still there and has no result yet."""
        return not self._answer.done()

    def settle(self, result: R) -> None:
        """Give the result, unless the caller has gone."""
        if not self._answer.done():
            self._answer.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Give a copy of the error: a shared one would gather the tracebacks of all callers."""
        if self._answer.done():
            return
        self._answer.set_exception(_own(error))
        self._answer.exception()  # a caller who leaves at this moment is no lost error


class Batcher(Generic[I, R]):
    """Hands the items that wait to `serve`, at most `at_once` batches at a time.

    `serve` settles or fails each item. An error that `serve` raises reaches the items left open:

    1. `outage`: all of the batch, and with `ends_all` all that wait, because the next batch would
       only wait for the same time-out;
    2. `retried`: errors that one item may cause alone, and after which nothing of the batch stands.
       Each item of the batch is served once more, by itself;
    3. any other error: all of the batch. Such an error is a bug, and nobody knows whether the batch
       was done.

    A batch weighs at most `weight_max`, or has one item. At most `waiting_max` items wait.
    """

    def __init__(
        self,
        serve: Callable[[list[WaitingItem[I, R]]], Awaitable[None]],
        *,
        weight: Callable[[I], int],
        weight_max: int,
        waiting_max: int,
        outage: type[Exception],
        ends_all: bool = False,
        retried: tuple[type[Exception], ...] = (),
        crowded: str,
        at_once: int = 1,
    ) -> None:
        """`crowded` is the text of the `outage` that refuses one item more than may wait."""
        self._serve = serve
        self._weight = weight
        self._weight_max = weight_max
        self._waiting_max = waiting_max
        self._outage = outage
        self._ends_all = ends_all
        self._retried = retried
        self._crowded = crowded
        self._at_once = at_once
        self._waiting: deque[WaitingItem[I, R]] = deque()
        # So many items at the head of `_waiting` go first.
        self._first = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def add(self, item: I, *, goes_first: bool = False) -> R:
        """Return the item's result.

        An item that `goes_first` waits behind its like, and before all other items. A caller that
        is cancelled takes the item back if its batch has not begun yet.

        Raises:
            outage: too many items wait, or the batcher is closed. The caller sends the item again.
            Exception: as `serve` raises, or fails the item with.
        """
        if self._closed:
            raise self._outage(_CLOSED)
        if len(self._waiting) >= self._waiting_max:
            raise self._outage(self._crowded)
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        if goes_first:
            self._waiting.insert(self._first, WaitingItem(item, answer))
            self._first += 1
        else:
            self._waiting.append(WaitingItem(item, answer))
        # A task of its own, so that a caller who is cancelled takes nobody along.
        if len(self._serving) < self._at_once:
            self._serving.add(asyncio.create_task(self._run(), name="batches"))
        return await answer

    async def aclose(self) -> None:
        """Stop: an item that was not served yet never is, and its caller gets an `outage`."""
        self._closed = True
        serving = [*self._serving]
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)
        # A task that is cancelled before its first step never comes to clean up behind itself.
        _fail(self._waiting, self._outage(_CLOSED))

    async def _run(self) -> None:
        batch: list[WaitingItem[I, R]] = []
        try:
            while batch := self._take():
                await self._serve_or_fail(batch)
        finally:
            task = asyncio.current_task()
            assert task is not None, "a batch is served by a task"
            self._serving.discard(task)
            _fail(batch, self._outage(_CLOSED))

    async def _serve_or_fail(self, batch: list[WaitingItem[I, R]]) -> None:
        try:
            await self._serve(batch)
        except self._outage as error:
            _fail(batch, error)
            if self._ends_all:
                _fail(self._waiting, error)
                self._waiting.clear()
                self._first = 0
        except self._retried as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            for one in batch:
                if one.is_open:
                    await self._serve_or_fail([one])
        except Exception as error:  # the callers must not wait for ever
            _fail(batch, error)

    def _take(self) -> list[WaitingItem[I, R]]:
        batch: list[WaitingItem[I, R]] = []
        room = self._weight_max
        while self._waiting:
            weight = self._weight(self._waiting[0].item)
            if batch and weight > room:
                break
            one = self._waiting.popleft()
            self._first = max(0, self._first - 1)
            if one.is_open:
                batch.append(one)
                room -= weight
        return batch


_CLOSED = "closed"


def _fail(those: Iterable[WaitingItem[I, R]], error: BaseException) -> None:
    for one in those:
        one.fail(error)


def _own(error: BaseException) -> BaseException:
    try:
        own = copy.copy(error)
    except Exception:  # an error whose class takes other arguments than it keeps
        return error
    own.__cause__ = error.__cause__
    return own.with_traceback(error.__traceback__)
