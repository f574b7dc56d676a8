"""Waits for what other processes do, and reports the steps of a rotation."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from checker.errors import Conflict

LOOK_S: Final = 0.5
"""Between two looks at the processes that run."""

Report = Callable[[str], None]
"""Gets a sentence for each step."""

PROGRESS_ROWS: Final = 10_000
"""A line of progress every ten seconds or so."""


async def until_none(
    find: Callable[[], Awaitable[Sequence[str]]], what: str, *, wait_s: float
) -> None:
    """Wait until `find` returns nothing.

    Raises:
        Conflict: it does not within `wait_s`. The text has what was found, and `what` they do.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while found := await find():
        if loop.time() >= until:
            raise Conflict(f"{', '.join(found)} {what}: mend this, and run this again")
        await asyncio.sleep(LOOK_S)


def progress(report: Report, what: str) -> Callable[[int], None]:
    """Return a function that takes a count, and reports it each time that many rows are done."""
    reported = 0

    def passed(count: int) -> None:
        nonlocal reported
        if count >= reported + PROGRESS_ROWS:
            reported = count
            report(f"{what}: {count} so far")

    return passed
