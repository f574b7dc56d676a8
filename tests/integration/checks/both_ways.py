"""One node behind two ports: at one the lane answers what it can, at the other the application."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from uvicorn.server import ServerState

from checker.accounts.keys import AccountRole
from checker.accounts.scope import Scope
from checker.api.lane import Lane
from checker.config import ServerSettings
from checker.operators.action import AT_THE_SERVER
from checker.serving.connections import ConnectionLimits, Connections
from checker.serving.lane_protocol import LaneProtocol
from tests.integration.checks.checks_grounds import DEBTOR, INNOCENT
from tests.integration.checks.doors import open_doors_with

DATE = b"Mon, 30 Nov 2026 00:00:00 GMT"
LIMITS = ConnectionLimits(connections_max=64, header_timeout_s=5.0, idle_timeout_s=30.0)
END_S = 10.0
CLOSE = ["Connection: close"]
RAIL = {"type": "rail", "train": "G79", "seat": "second"}

_NEW_EACH_TIME = [
    (re.compile(rb'"id":"[0-9a-f-]{36}"'), b'"id":"ID"'),
    (re.compile(rb"x-request-id: [0-9a-f]{24}"), b"x-request-id: ID"),
    (re.compile(rb'"(minute|day)";r=\d+;t=\d+'), rb'"\1";r=N;t=N'),
    (re.compile(rb'"jws":"[^"]+","opening":"[^"]+"'), b'"jws":"J","opening":"O"'),
]


class Way(NamedTuple):
    """One port. `state` counts the requests that the application answered."""

    port: int
    state: ServerState
    connections: Connections


class BothWays(NamedTuple):
    """The two ports into one node, and keys by role; `limited` has a quota."""

    lane: Way
    ordinary: Way
    keys: dict[AccountRole, str]
    limited: str
    node: Lane


@asynccontextmanager
async def open_both_ways(
    data_dir: Path,
    database_url: str,
    redis_url: str,
    *,
    limits: ConnectionLimits = LIMITS,
    proxies: tuple[str, ...] = (),
) -> AsyncIterator[BothWays]:
    """Open a node whose list holds the debtor, and wait until its replica vouches for the list."""
    server = ServerSettings(trusted_proxies=proxies)
    async with open_doors_with(data_dir, database_url, redis_url, server=server) as (lane, keys):
        runtime = lane.routed.state.runtime
        account = await runtime.account_keys.create_named(
            name="limited",
            role=AccountRole.INSTITUTION,
            scope=Scope(items_per_minute=60_000),
            by=AT_THE_SERVER,
        )
        await runtime.key_ring.refresh()
        async with asyncio.timeout(30):
            while not runtime.replica.holds_lease:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0)
        ways, servers = [], []
        for at_once in (True, False):
            config = uvicorn.Config(
                lane, access_log=False, log_config=None, proxy_headers=False, ws="none"
            )
            config.load()
            state = ServerState()
            state.default_headers = [(b"date", DATE)]
            connections = Connections(limits)
            make = partial(
                LaneProtocol,
                config,
                state,
                {},
                connections=connections,
                checks=lane.checks,
                proxies=lane.proxies,
                at_once=at_once,
            )
            listener = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
            servers.append(listener)
            ways.append(Way(listener.sockets[0].getsockname()[1], state, connections))
        try:
            yield BothWays(ways[0], ways[1], keys, account.key, lane)
        finally:
            for listener, way in zip(servers, ways, strict=True):
                listener.close()
                way.connections.begin_ending()
                way.connections.end()
                await way.connections.all_closed.wait()


def check(number: str, **more: object) -> bytes:
    """Return the body of a check of one person for a seat on a G train."""
    subject = {"document": {"type": "resident_id", "number": number}}
    return json.dumps({"subject": subject, "service": RAIL, **more}, ensure_ascii=False).encode()


ALLOW, DENY = check(INNOCENT), check(DEBTOR)


def request(
    body: bytes, key: str | None, *, head: str = "POST /v1/checks HTTP/1.1", more: Any = ()
) -> bytes:
    """Return the bytes of a request to check; `more` are further lines of the head."""
    lines = [head, "Host: node", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    return "\r\n".join([*lines, *more, "", ""]).encode() + body


async def said(way: Way, pieces: Sequence[bytes]) -> bytes:
    """Send the pieces one after the other, then return all that is answered until the close.

    The last piece must ask for the close of the connection, or be refused.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await let_server_read()
        async with asyncio.timeout(END_S):
            answered = await reader.read()
    except ConnectionResetError:
        answered = b"reset"
    finally:
        writer.close()
    return plain(answered)


async def assert_same(ways: BothWays, pieces: list[bytes]) -> bytes:
    by_lane = await said(ways.lane, pieces)
    assert by_lane == await said(ways.ordinary, pieces)
    return by_lane


async def let_server_read() -> None:
    """Let the server, which is in this process, read what was sent."""
    for _ in range(20):
        await asyncio.sleep(0)


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    """Read one answer, and return its head."""
    async with asyncio.timeout(END_S):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    return head


def plain(answered: bytes) -> bytes:
    """Return the bytes of answers without what is new each time."""
    for pattern, shown in _NEW_EACH_TIME:
        answered = pattern.sub(shown, answered)
    return answered
