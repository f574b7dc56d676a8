"""Replies that cannot be read: an outage of Redis, and never a bug of ours.

A bad line, a proxy or somebody else's Redis may return anything. Each method that takes replies
apart is marked by `reads_replies`. The method then raises CacheUnavailable where a reply has
another shape than the command has in Redis.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from cache.errors import CacheUnavailable

P = ParamSpec("P")
R = TypeVar("R")

_UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""Errors of Python where a value has another type, length or content."""


def reads_replies(method: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return the method; it raises CacheUnavailable where a reply cannot be taken apart."""

    @wraps(method)
    async def read(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return await method(*arguments, **options)
        except _UNREADABLE as error:
            raise CacheUnavailable("a reply of Redis cannot be read") from error

    return read
