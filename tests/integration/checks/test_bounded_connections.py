"""The bounds of a connection hold on both ways: a head, idling, crowds, and proxies."""

import asyncio
from pathlib import Path

import pytest

from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope, Scope, read_networks
from checker.operators.action import AT_THE_SERVER
from checker.serving.connections import ConnectionLimits
from tests.integration.checks.both_ways import (
    ALLOW,
    CLOSE,
    BothWays,
    answer_of,
    assert_same,
    let_server_read,
    open_both_ways,
    plain,
    request,
    said,
)

pytestmark = pytest.mark.anyio


async def test_a_head_that_is_too_large_is_refused(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with open_both_ways(tmp_path, database_url, redis_url) as ways:
        await assert_large_heads_are_refused(ways)


async def assert_large_heads_are_refused(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    many = request(ALLOW, key, more=[f"X-{number}: 1" for number in range(200)])
    large = request(ALLOW, key, more=[f"X-1: {'x' * 70_000}"])
    endless = b"POST /v1/checks HTTP/1.1\r\nX-1: " + b"x" * 70_000
    for pieces in ([many], [large], [large[:40_000], large[40_000:]], [endless]):
        assert (await assert_same(ways, pieces)).startswith(b"HTTP/1.1 413 ")


async def test_a_head_that_does_not_come_is_cut_off(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    limits = ConnectionLimits(connections_max=64, header_timeout_s=1.0, idle_timeout_s=2.0)
    async with open_both_ways(tmp_path, database_url, redis_url, limits=limits) as ways:
        key = ways.keys[AccountRole.INSTITUTION]
        for way in (ways.lane, ways.ordinary):
            half = await asyncio.open_connection("127.0.0.1", way.port)
            silent = await asyncio.open_connection("127.0.0.1", way.port)
            idle = await asyncio.open_connection("127.0.0.1", way.port)
            late = await asyncio.open_connection("127.0.0.1", way.port)
            half[1].write(request(ALLOW, key)[:30])
            idle[1].write(request(ALLOW, key))
            late[1].write(request(ALLOW, key)[:-5])
            await answer_of(idle[0])
            await let_server_read()
            for _ in range(limits.header_looks + 1):
                way.connections.look()
            assert (await half[0].read()).startswith(b"HTTP/1.1 408 ")
            assert await silent[0].read() == b""
            late[1].write(request(ALLOW, key)[-5:])
            assert (await late[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            for _ in range(limits.idle_looks + 1):
                way.connections.look()
            assert await idle[0].read() == b""
            for _, writer in (half, silent, idle, late):
                writer.close()


async def test_a_crowd_without_keys_shuts_no_door(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    limits = ConnectionLimits(connections_max=32, header_timeout_s=5.0, idle_timeout_s=30.0)
    async with open_both_ways(tmp_path, database_url, redis_url, limits=limits) as ways:
        key = ways.keys[AccountRole.INSTITUTION]
        known = await asyncio.open_connection("127.0.0.1", ways.lane.port)
        known[1].write(request(ALLOW, key))
        await answer_of(known[0])
        crowd = []
        for number in range(3 * limits.connections_max):
            member = await asyncio.open_connection("127.0.0.1", ways.lane.port)
            if number % 2:
                member[1].write(b"POST /v1/corrections HTTP/1.1\r\nHost: n")
            crowd.append(member)
            await let_server_read()
        health = request(b"", None, head="GET /healthz HTTP/1.1", more=CLOSE)
        assert (await said(ways.lane, [health])).startswith(b"HTTP/1.1 200 ")
        known[1].write(request(ALLOW, key, more=CLOSE))
        assert plain(await known[0].read()).count(b"HTTP/1.1 200 ") == 1
        assert len(ways.lane.connections) <= limits.address_max + 1
        for _, writer in (known, *crowd):
            writer.close()


async def test_the_address_of_a_caller_behind_a_trusted_proxy_is_the_one_that_it_names(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    proxies = ("127.0.0.0/8", "10.0.0.0/8")
    async with open_both_ways(tmp_path, database_url, redis_url, proxies=proxies) as ways:
        runtime = ways.node.routed.state.runtime
        account = await runtime.accounts.create(
            name="bound",
            role=AccountRole.INSTITUTION,
            scope=AccountScope(networks=read_networks(["192.0.2.0/24"])),
            by=AT_THE_SERVER,
        )
        key = (await runtime.account_keys.create(account.id, Scope(), None, by=AT_THE_SERVER)).key
        await runtime.key_ring.refresh()
        words = {
            "X-Forwarded-For: 192.0.2.7": 200,
            "X-Forwarded-For: 192.0.2.7, 10.1.1.1": 200,
            "X-Forwarded-For: 198.51.100.1": 403,
            "X-Forwarded-For: 192.0.2.7, 198.51.100.1": 403,
            'Forwarded: for="192.0.2.7:4711";proto=https': 200,
            "Forwarded: for=unknown": 403,
            "X-Other: 192.0.2.7": 403,
        }
        for word, status in words.items():
            answered = await assert_same(ways, [request(ALLOW, key, more=[*CLOSE, word])])
            assert answered.startswith(b"HTTP/1.1 %d " % status), word
            pieces = [request(ALLOW, key, more=[word]), request(ALLOW, key, more=[*CLOSE, word])]
            answered = await assert_same(ways, pieces)
            assert answered.startswith(b"HTTP/1.1 %d " % status), word
