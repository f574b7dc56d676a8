"""The lane and the application answer the same requests by the same bytes, however these arrive."""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from checker.accounts.keys import AccountRole, digest_of
from checker.operators.action import AT_THE_SERVER
from tests.integration.checks.both_ways import (
    ALLOW,
    CLOSE,
    DENY,
    BothWays,
    answer_of,
    assert_same,
    check,
    open_both_ways,
    request,
)
from tests.integration.checks.checks_grounds import INNOCENT

pytestmark = pytest.mark.anyio

SERVICES = (
    {"type": "rail", "train": "K7", "seat": "hard_seat"},
    {"type": "hotel", "stars": 5},
    {"type": "hotel"},
    {"type": "resort", "venue": "rated_resort", "amount_fen": 100},
    {"type": "insurance", "cash_value": True, "annual_premium_fen": -1},
    {"type": "unknown"},
    {},
    None,
)
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
        f"service {place}": json.dumps({**json.loads(ALLOW), "service": service}).encode()
        for place, service in enumerate(SERVICES)
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


def again(body: bytes, key: str) -> list[bytes]:
    """Return requests of which each comes in one read, with the head of the one before."""
    first, other = request(ALLOW, key), request(body, key)
    return [first, first, other, other, other[:-1], other[-1:], first, other + first, *last(key)]


def http_1_0(body: bytes, key: str) -> list[bytes]:
    return [request(body, key, head="POST /v1/checks HTTP/1.0")]


def expecting(body: bytes, key: str) -> list[bytes]:
    whole = request(body, key, more=["Expect: 100-continue"])
    cut = len(whole) - len(body)
    return [whole[:cut], whole[cut:], *last(key)]


FORMS = (in_one, again, byte_by_byte, chunked, pipelined, closing, http_1_0, expecting)


@pytest.fixture
async def ways(tmp_path: Path, database_url: str, redis_url: str):
    async with open_both_ways(tmp_path, database_url, redis_url) as opened:
        yield opened


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


async def test_a_known_head_ends_with_its_key(ways: BothWays) -> None:
    runtime = ways.node.routed.state.runtime
    made = await runtime.account_keys.create_named(
        name="short", role=AccountRole.INSTITUTION, by=AT_THE_SERVER
    )
    await runtime.key_ring.refresh()
    caller = ways.node.checks.caller_at_once(digest_of(made.key), "127.0.0.1")
    assert caller is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", ways.lane.port)
    statuses = []
    for is_revoked in (False, False, True, True):
        if is_revoked:
            await runtime.account_keys.revoke(caller.account_id, made.state.id, by=AT_THE_SERVER)
            await runtime.key_ring.refresh()
        writer.write(request(ALLOW, made.key))
        statuses.append((await answer_of(reader))[9:12])
    writer.close()
    assert statuses == [b"200", b"200", b"401", b"401"]


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


def counts(exposition: bytes) -> Counter[str]:
    lines = exposition.decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if line.startswith("checker_checks_total"))
    return Counter({name: int(float(value)) for name, _, value in pairs})
