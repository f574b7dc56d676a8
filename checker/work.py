"""The works of a process: each is done again and again, and no fault ends a work.

    round ──> passes ──> pause of `every_s`, or of the seconds that the round returned ──> round
      └─────> fails  ──> pause of `every_s`, between FAILURE_PAUSE_S_MIN and _MAX ───────> round

A fault is logged once when it starts and once when it ends, and each failed round is counted. Only
the end of `working` ends its works.

This file must not know what a work does.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import msgspec

from checker.fault_log import FaultLog

FAILURE_PAUSE_S_MIN: Final = 0.1
"""After a failure, so that a store that is away is not asked all the time."""

FAILURE_PAUSE_S_MAX: Final = 60.0
"""After a failure of a work that is seldom done: the work is not left undone for an hour."""

END_S_MAX: Final = 3.0
"""How long the last step of a work may take: a process that ends is killed after some seconds."""

CountFailure: TypeAlias = Callable[[str], None]
"""Counts a failed round of the work of this name."""

_log = logging.getLogger(__name__)


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a process does again and again. `name` stands in the log and in metrics.

    `do` is one round. It returns the seconds until the next round, or None for `every_s`. A round
    may wait for an event. `at_end` is done once, after all works of the process have stopped.
    """

    name: str
    every_s: float
    do: Callable[[], Awaitable[float | None]]
    at_end: Callable[[], Awaitable[None]] | None = None


def count_nothing(_name: str) -> None:
    """Count no failure: a command that ends soon has no metrics."""


@asynccontextmanager
async def working(
    works: Iterable[Work],
    count_failure: CountFailure = count_nothing,
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[None]:
    """Do the works meanwhile. At the end all works stop, and then the last begun ends first."""
    begun = list(works)
    tasks = [
        asyncio.create_task(_keep_doing(work, count_failure, pause), name=work.name)
        for work in begun
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for work in reversed(begun):
            await _end(work)


async def _keep_doing(
    work: Work, count_failure: CountFailure, pause: Callable[[float], Awaitable[None]]
) -> None:
    faults = FaultLog(_log, work.name)
    while True:
        try:
            pause_s = await work.do()
        except BaseException as error:
            if _is_ending(error):
                raise
            faults.met(error)
            # A counter that fails must not end the work.
            with contextlib.suppress(Exception):
                count_failure(work.name)
            pause_s = min(max(work.every_s, FAILURE_PAUSE_S_MIN), FAILURE_PAUSE_S_MAX)
        else:
            faults.passed()
        if _is_cancelled():
            # The round has kept the cancellation for itself.
            raise asyncio.CancelledError
        await pause(work.every_s if pause_s is None else pause_s)


def _is_ending(error: BaseException) -> bool:
    """Return whether the process or the work ends.

    A CancelledError alone is no proof: what the round waited for may have been cancelled.
    """
    if isinstance(error, asyncio.CancelledError):
        return _is_cancelled()
    return isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _end(work: Work) -> None:
    if work.at_end is None:
        return
    try:
        async with asyncio.timeout(END_S_MAX):
            await work.at_end()
    except Exception as error:
        _log.warning("%s fails at its end: %s", work.name, type(error).__name__)
