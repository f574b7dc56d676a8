"""The lane and the application answer the same requests by the same bytes, however these arrive."""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope, Scope, read_networks
from checker.serving.connections import ConnectionLimits
from tests.contract.bad_services import bad_services
from tests.integration.checks.checks_grounds import DEBTOR, INNOCENT
from tests.integration.serving.both_ways import (
    END_S,
    BothWays,
    open_both_ways,
    plain,
    request,
    said,
)

pytestmark = pytest.mark.anyio

RAIL = {"type": "rail", "train": "G79", "seat": "second"}
CLOSE = ["Connection: close"]


def check(number: str, **more: object) -> bytes:
    subject = {"document": {"type": "resident_id", "number": number}}
    return json.dumps({"subject": subject, "service": RAIL, **more}, ensure_ascii=False).encode()


ALLOW, DENY = check(INNOCENT), check(DEBTOR)
BODIES = {
    "allow": ALLOW,
    "deny": DENY,
    "a reference": check(INNOCENT, reference='订单 "1" \\'),
    "a receipt": check(INNOCENT, receipt=True),
    "a field twice": ALLOW[:-1] + b',"service":{"type":"rail"}}',
    "no JSON": b"{",
    "nothing": b"",
    "a wrong number": check("1"),
    "a place": check(INNOCENT, jurisdiction="440882"),
    "no place": check(INNOCENT, jurisdiction="990000"),
    "too large": b" " * 70_000,
    **{
        f"service {name}": json.dumps({**json.loads(ALLOW), "service": service}).encode()
        for name, _, service in list(bad_services())[::3]
    },
}


def in_one(body: bytes, key: str) -> list[bytes]:
    return [request(body, key), *last(key)]


def last(key: str) -> list[bytes]:
    """Return a request that closes the connection."""
    return [request(ALLOW, key, more=CLOSE)]


def byte_by_byte(body: bytes, key: str) -> list[bytes]:
    whole = request(body, key)
    cut = len(whole) - len(body)
    # The head in pieces around its lines, the body byte by byte at its start.
    return [whole[:7], whole[7:cut], *(bytes([each]) for each in body[:9]), body[9:], *last(key)]


def chunked(body: bytes, key: str) -> list[bytes]:
    head = request(b"", key).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    parts = [body[:5], body[5:40], body[40:]]
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part]
    return [head, *chunks, b"0\r\n\r\n", *last(key)]


def pipelined(body: bytes, key: str) -> list[bytes]:
    return [request(ALLOW, key) + request(body, key) + request(ALLOW, key) + last(key)[0]]


def closing(body: bytes, key: str) -> list[bytes]:
    return [request(body, key, more=CLOSE)]


def http_1_0(body: bytes, key: str) -> list[bytes]:
    return [request(body, key, head="POST /v1/checks HTTP/1.0")]


def expecting(body: bytes, key: str) -> list[bytes]:
    whole = request(body, key, more=["Expect: 100-continue"])
    cut = len(whole) - len(body)
    return [whole[:cut], whole[cut:], *last(key)]


FORMS = (in_one, byte_by_byte, chunked, pipelined, closing, http_1_0, expecting)


@pytest.fixture
async def ways(tmp_path: Path, database_url: str, redis_url: str):
    async with open_both_ways(tmp_path, database_url, redis_url) as opened:
        yield opened


async def assert_same(ways: BothWays, pieces: list[bytes]) -> bytes:
    by_lane = await said(ways.lane, pieces)
    assert by_lane == await said(ways.ordinary, pieces)
    return by_lane


async def test_each_body_in_each_form_is_answered_by_the_same_bytes(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    statuses: Counter[bytes] = Counter()
    for form in FORMS:
        for name, body in BODIES.items():
            if name.startswith("service") and form is not in_one:
                continue
            answered = await assert_same(ways, form(body, key))
            assert answered.startswith(b"HTTP/1.1 "), (form, name)
            statuses[answered[9:12]] += 1
    assert set(statuses) == {b"100", b"200", b"400", b"413", b"422"}


async def test_only_the_lane_answers_without_the_application(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    begun = ways.lane.state.total_requests, ways.ordinary.state.total_requests
    for form in (in_one, byte_by_byte, chunked, pipelined):
        await assert_same(ways, form(ALLOW, key))
    by_application = ways.lane.state.total_requests - begun[0]
    # The last request of each form asks for the close of the connection.
    assert by_application == 4
    assert ways.ordinary.state.total_requests - begun[1] == 4 + 3 + 3


async def test_each_other_request_is_answered_by_the_same_bytes(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    whole = request(ALLOW, key, more=CLOSE)
    keys = [None, "ck_unknown", *ways.keys.values(), ways.limited]
    requests = {
        **{f"key {place}": request(ALLOW, each, more=CLOSE) for place, each in enumerate(keys)},
        "two hosts": request(ALLOW, key, more=[*CLOSE, "Host: other"]),
        "no host": whole.replace(b"Host: node\r\n", b""),
        "two keys": request(ALLOW, key, more=[*CLOSE, "Authorization: Bearer x"]),
        "a query": request(ALLOW, key, head="POST /v1/checks?a=1 HTTP/1.1", more=CLOSE),
        "another address": request(ALLOW, key, head="POST /v1/check HTTP/1.1", more=CLOSE),
        "a whole URL": request(ALLOW, key, head="POST http://node/v1/checks HTTP/1.1", more=CLOSE),
        "a URL without path": request(ALLOW, key, head="POST http://node HTTP/1.1", more=CLOSE),
        "GET": request(b"", key, head="GET /v1/checks HTTP/1.1", more=CLOSE),
        "HEAD": request(b"", key, head="HEAD /v1/measures HTTP/1.1", more=CLOSE),
        "OPTIONS *": request(b"", key, head="OPTIONS * HTTP/1.1", more=CLOSE),
        "text": whole.replace(b"application/json", b"text/plain"),
        "a charset": whole.replace(b"application/json", b"application/json; charset=utf-8"),
        "no type": whole.replace(b"Content-Type: application/json\r\n", b""),
        "an upgrade": request(ALLOW, key, more=["Connection: Upgrade", "Upgrade: h2c"]),
        "two lengths": request(ALLOW, key, more=["Content-Length: 3"]),
        "length and chunks": request(ALLOW, key, more=["Transfer-Encoding: chunked"]),
        "a length below 0": whole.replace(b"Content-Length: ", b"Content-Length: -"),
        "no HTTP": b"\x16\x03\x01\x02\x00\r\n\r\n",
        "a path of bytes": whole.replace(b"/v1/checks", b"/v1/\xff"),
        "an id of its own": request(ALLOW, key, more=[*CLOSE, "X-Request-ID: a-b-c"]),
    }
    for name, sent in requests.items():
        answered = await assert_same(ways, [sent])
        assert answered.startswith(b"HTTP/1.1 "), name
        assert b" 500 " not in answered[:16], name
        assert b"x-request-id: " in answered, name


async def test_garbage_behind_requests_is_answered_after_them(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    answered = await assert_same(ways, [request(DENY, key) + request(ALLOW, key) + b"\0\0\r\n\r\n"])
    assert re.findall(rb"HTTP/1.1 (\d+)", answered) == [b"200", b"200", b"400"]
    assert re.findall(rb'"decision":"(\w+)"', answered) == [b"deny", b"allow"]


@pytest.mark.parametrize("way", ["lane", "ordinary"])
async def test_both_ways_count_a_check(ways: BothWays, way: str, database_url: str) -> None:
    app = ways.node.routed.state
    app.metrics.flush()
    before = app.metrics.exposition()
    chosen = getattr(ways, way)
    pieces = [request(ALLOW, ways.limited)] * 10 + last(ways.limited)
    left = []
    reader, writer = await asyncio.open_connection("127.0.0.1", chosen.port)
    for piece in pieces:
        writer.write(piece)
        head = await answer_of(reader)
        left.append(int(head.partition(b'"minute";r=')[2].partition(b";")[0]))
    writer.close()
    assert left == list(range(left[0], left[0] - len(pieces), -1))
    app.metrics.flush()
    counted = counts(app.metrics.exposition()) - counts(before)
    assert counted['checker_checks_total{decision="allow",service="rail"}'] == len(pieces)
    await app.runtime.audit.tallies.add()
    rows = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    assert await rows.fetchval("SELECT sum(checks) FROM check_tally") == len(pieces)
    await rows.close()


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    """Read one answer, and return its head."""
    async with asyncio.timeout(END_S):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    return head


def counts(exposition: bytes) -> Counter[str]:
    lines = exposition.decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if line.startswith("checker_checks_total"))
    return Counter({name: int(float(value)) for name, _, value in pairs})


async def test_a_head_that_is_too_large_is_refused(ways: BothWays) -> None:
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
            await asyncio.sleep(0)
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
        )
        key = (await runtime.account_keys.create(account.id, Scope(), None)).key
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
