"""Commits items that wait at once in one transaction.

A commit costs a write to disk and a turn at a lock, whatever is in it. So items that come while
one transaction is busy share the next transaction (`cache.batching`).

This file must not know what is committed.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from sqlalchemy.exc import DBAPIError

from cache.batching import Batcher, WaitingItem
from checker.errors import CheckerError, Unavailable

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

GroupCommit: TypeAlias = Batcher[I, R]

GROUPS_AT_ONCE: Final = 2
"""Two transactions at once, where their order does not matter: one is prepared here while
PostgreSQL works on the other. More of them would be smaller, so there would be more writes to disk.
"""


class CommitAlone(Exception):
    """The items of a group must be committed one by one. Nothing of the group is done."""


REFUSED_ALONE: Final = (CheckerError, DBAPIError, CommitAlone)
"""Errors after which each item of a group is committed alone: a refusal of ours, or of PostgreSQL.

All are raised before the commit, so nothing of the transaction stands. `Unavailable` is an outage,
and reaches all.
"""


def group_commit(
    commit: Callable[[Sequence[I]], Awaitable[Sequence[R]]],
    *,
    weight: Callable[[I], int],
    weight_max: int,
    waiting_max: int,
    at_once: int = 1,
) -> GroupCommit[I, R]:
    """Return the group commit of one process. An item is durable when `add` returns.

    `commit` returns a result for each item, and keeps all of them or none. A group weighs at most
    `weight_max`, or has one item; at most `waiting_max` items wait. At most `at_once` groups are
    committed at a time.
    """

    async def serve(group: list[WaitingItem[I, R]]) -> None:
        results = await commit([one.item for one in group])
        for one, result in zip(group, results, strict=True):
            one.settle(result)

    return Batcher(
        serve,
        weight=weight,
        weight_max=weight_max,
        waiting_max=waiting_max,
        outage=Unavailable,
        retried=REFUSED_ALONE,
        crowded="too many requests wait to be kept; send it again",
        at_once=at_once,
    )
