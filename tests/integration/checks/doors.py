"""One node in this process, and the two ways into it: the fast lane, and the routes behind it."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import redis

from checker.accounts.keys import AccountRole
from checker.api.app import create_app
from checker.api.lane import Lane
from checker.api.spans import Tracing
from checker.config import Config, ListSettings, ServerSettings
from checker.node.runtime import open_runtime
from checker.operators.action import AT_THE_SERVER
from tests.integration.checks.checks_grounds import AT, DEBTOR, KEY, listing
from tests.support.fake_clock import FakeClock
from tests.support.token_keys import token_key_variable

ENVIRON = {
    "CHECKER_TOKEN_KEY": token_key_variable(KEY),
    "CHECKER_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
}


class Doors(NamedTuple):
    """The two ways into one node, and a key for each role."""

    lane: httpx.AsyncClient
    routed: httpx.AsyncClient
    keys: dict[AccountRole, str]


@asynccontextmanager
async def open_doors(
    data_dir: Path, database_url: str, redis_url: str, tracing: Tracing | None = None
) -> AsyncIterator[Doors]:
    """Open a node whose list holds the debtor; with `tracing` the lane is wrapped in it."""
    async with open_doors_with(data_dir, database_url, redis_url, tracing) as (lane, keys):
        app = lane if tracing is None else tracing.wrap(lane)
        async with client_of(app) as first, client_of(lane.ordinary) as second:
            yield Doors(first, second, keys)


@asynccontextmanager
async def open_doors_with(
    data_dir: Path,
    database_url: str,
    redis_url: str,
    tracing: Tracing | None = None,
    server: ServerSettings = ServerSettings(),  # noqa: B008 - frozen
) -> AsyncIterator[tuple[Lane, dict[AccountRole, str]]]:
    """Open the same node, and yield its lane and a key for each role."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    config = Config(
        data_dir=data_dir,
        database_url=database_url,
        redis_url=redis_url,
        config_file=None,
        jurisdictions={},
        list=ListSettings(),
        server=server,
    )
    lane = create_app(
        lambda: open_runtime(config, ENVIRON, clock=FakeClock(AT)), publish=True, tracing=tracing
    )
    async with lane.routed.lifespan():
        runtime = lane.routed.state.runtime
        await runtime.feed.replace(one_chunk(json.dumps(listing(DEBTOR)).encode()))
        keys = {
            role: (
                await runtime.account_keys.create_named(name=role, role=role, by=AT_THE_SERVER)
            ).key
            for role in AccountRole
        }
        yield lane, keys


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")


async def one_chunk(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
