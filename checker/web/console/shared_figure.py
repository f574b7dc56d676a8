"""A figure that all people who look at the console share, so that looking costs little.

One process computes a figure once at a time, and rests `REST_FACTOR` times as long as the
computation took. So the console takes at most a tenth of one connection, however many people
look, and however large the list is. A person waits for `PATIENCE_S` at most. A figure that takes
longer is computed on, and is shown by the next look.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Final, Generic, TypeVar

import msgspec

from cache.errors import CacheError
from checker.domain.clock import Clock
from checker.errors import Unavailable

T = TypeVar("T")

REST_FACTOR: Final = 9
PATIENCE_S: Final = 2.0
COMPUTE_S_MAX: Final = 60.0
"""A count of ten million listings takes some seconds. A longer one is given up."""


class FigureState(StrEnum):
    """The state of a block of figures."""

    KNOWN = "known"
    COUNTING = "counting"
    """The first computation is still under way."""
    AWAY = "away"
    """A store is away. An older value, if there is one, is shown with its age."""


class Figure(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A value with its instant. Both are None while nothing has been computed."""

    state: FigureState
    value: T | None
    at: datetime | None


class SharedFigure(Generic[T]):
    """One figure of one process."""

    def __init__(
        self,
        compute: Callable[[], Awaitable[T]],
        clock: Clock,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._compute = compute
        self._clock = clock
        self._elapsed = elapsed
        self._value: T | None = None
        self._at: datetime | None = None
        self._is_away = False
        self._task: asyncio.Task[None] | None = None
        self._rests_until = float("-inf")

    async def get(self) -> Figure[T]:
        """Return the figure: computed now, or a moment ago. An outage raises nothing."""
        if self._task is None and self._elapsed() >= self._rests_until:
            self._task = asyncio.create_task(self._run(), name="figure of the console")
        task = self._task
        if task is not None:
            await asyncio.wait([task], timeout=PATIENCE_S)
            if task.done():
                task.result()  # raises a bug of the computation, and nothing else
        if self._is_away:
            state = FigureState.AWAY
        else:
            state = FigureState.COUNTING if self._at is None else FigureState.KNOWN
        return Figure(state=state, value=self._value, at=self._at)

    async def _run(self) -> None:
        started = self._elapsed()
        try:
            async with asyncio.timeout(COMPUTE_S_MAX):
                value = await self._compute()
        except (Unavailable, CacheError, TimeoutError):
            self._is_away = True
        else:
            self._value, self._at, self._is_away = value, self._clock.now(), False
        finally:
            self._rests_until = self._elapsed() + REST_FACTOR * (self._elapsed() - started)
            self._task = None
