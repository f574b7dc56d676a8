"""Gives up a feed while PostgreSQL is silent.

A load takes as long as it takes, so no statement of it has a bound, and on a server that is frozen
or cut off it would wait for good.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.database.engine import driver_errors, fetch
from checker.errors import Unavailable

LOOK_INTERVAL_S = 1.0
SILENCES_MAX = 2
"""So many looks in a row without an answer, of two seconds each; one may be bad luck."""

_ANYTHING = select(literal(1))

T = TypeVar("T")


async def unless_silent(engine: AsyncEngine, work: Coroutine[Any, Any, T]) -> T:
    """Do `work`, but only while PostgreSQL answers on `engine`, whose statements are bounded.

    What is given up is cancelled and not waited for: it may wait for PostgreSQL itself. Whatever it
    had committed stands.

    Raises:
        Unavailable: PostgreSQL is silent.
    """
    task = asyncio.create_task(work)
    silences = 0
    try:
        while not (await asyncio.wait([task], timeout=LOOK_INTERVAL_S))[0]:
            silences = 0 if await _answers(engine) else silences + 1
            if silences == SILENCES_MAX and not task.done():
                raise Unavailable("the registry does not answer; send it again")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(_disregard)


async def _answers(engine: AsyncEngine) -> bool:
    try:
        with driver_errors():
            await fetch(engine, _ANYTHING)
    except Unavailable:
        return False
    return True


def _disregard(task: asyncio.Task[Any]) -> None:
    """Take notice of how it ended, or the event loop would complain that nobody did."""
    if not task.cancelled():
        task.exception()
