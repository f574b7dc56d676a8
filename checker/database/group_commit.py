"""What waits together is committed together: one transaction for all that came while one was busy.

A commit costs a write to disk and a turn at a lock, whatever is in it. Nobody waits for company:
what comes alone goes alone. Knows nothing of what is committed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from checker.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """The items of one process, in their order.

    `commit` gives a result for each item of a group, all of which it keeps or none. A group weighs
    at most `weight_max`, or has one item; at most `waiting_max` items wait.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        weight: Callable[[Item], int],
        weight_max: int,
        waiting_max: int,
    ) -> None:
        self._commit = commit
        self._weight = weight
        self._weight_max = weight_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """Have an item committed; when this returns it is durable.

        A caller that is cancelled takes its item back if nothing has been done of it yet.

        Raises:
            Unavailable: too many wait; besides, whatever `commit` raises.
        """
        if len(self._waiting) >= self._waiting_max:
            raise Unavailable("too many requests wait to be kept; send it again")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._working is None:
            self._working = asyncio.create_task(self._work(), name="group commit")
        return await done

    async def aclose(self) -> None:
        """Stop; what is not committed never is, and whoever waits is cancelled."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        # A task that is cancelled before its first step never comes to clean up behind itself.
        self._drop(())

    async def _work(self) -> None:
        group: list[tuple[Item, asyncio.Future[Result]]] = []
        try:
            while group := self._take():
                await self._commit_group(group)
        finally:
            self._working = None
            self._drop(group)

    def _drop(self, group: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        """Cancel those of a group, and all that wait."""
        for _, done in (*group, *self._waiting):
            done.cancel()
        self._waiting.clear()

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        group: list[tuple[Item, asyncio.Future[Result]]] = []
        weight = 0
        while self._waiting:
            item, done = self._waiting[0]
            if group and weight + self._weight(item) > self._weight_max:
                break
            self._waiting.popleft()
            if not done.done():
                group.append((item, done))
                weight += self._weight(item)
        return group

    async def _commit_group(self, group: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._commit([item for item, _ in group])
        except Exception as error:
            # What one item alone calls forth must not be everybody's; an outage is everybody's.
            if len(group) > 1 and not isinstance(error, Unavailable):
                for one in group:
                    await self._commit_group([one])
                return
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
        else:
            for (_, done), result in zip(group, results, strict=True):
                if not done.done():
                    done.set_result(result)
