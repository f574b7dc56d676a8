"""Connects to the primary among the servers that a URL names, whichever of them it is.

All servers are tried at once, because the driver tries one after the other: a first server whose
machine is off would use up the whole time. A standby is never used. It may lack the newest changes,
and its "not listed" would be wrong. PostgreSQL reports at the login whether it is a standby, so the
look costs no round trip.

Two servers that both call themselves primary cannot be distinguished here. The operator's failover
must end or fence the old primary (docs/scale.md).
"""

import asyncio
from typing import Any

import asyncpg


async def connect_primary(**options: Any) -> asyncpg.Connection:
    """Connect as `asyncpg.connect` does, to the first server that is a primary.

    Raises:
        PostgresError, OSError, TargetServerAttributeNotMatched: no server can be used; the error of
            a server that answered goes before the error of one that did not.
    """
    options = {"target_session_attrs": "primary"} | options
    hosts, ports = options.get("host"), options.get("port")
    if not isinstance(hosts, list):
        return await asyncpg.connect(**options)
    ports = ports if isinstance(ports, list) else [ports] * len(hosts)
    tries = {
        asyncio.create_task(asyncpg.connect(**options | {"host": host, "port": port}))
        for host, port in zip(hosts, ports, strict=True)
    }
    try:
        return await _first(tries)
    finally:
        for each in tries:
            each.cancel()
            each.add_done_callback(end_connection)


async def _first(tries: set[asyncio.Task[asyncpg.Connection]]) -> asyncpg.Connection:
    """Return the first connection, which is taken out of `tries`."""
    errors: list[BaseException] = []
    waiting = set(tries)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            error = each.exception()
            if error is None:
                tries.discard(each)
                return each.result()
            errors.append(error)
    raise max(errors, key=_weight)


def _weight(error: BaseException) -> int:
    if isinstance(error, asyncpg.PostgresError):
        return 2
    return 1 if isinstance(error, asyncpg.TargetServerAttributeNotMatched) else 0


def end_connection(connecting: asyncio.Task[asyncpg.Connection]) -> None:
    """End the connection that a task made and nobody holds."""
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().terminate()
