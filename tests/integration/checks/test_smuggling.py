"""A request that may be read in two ways is refused, or answered once, and the lane agrees.

A proxy in front of the service reads requests too. Where both find different ends of a request, a
caller can hide a second request in a body, and the answers of callers get mixed up. So each case
below hides a request for an address of its own, `/hidden`. The request must never be answered.
"""

import asyncio
import re
from pathlib import Path

import pytest

from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope, Scope, read_networks
from checker.operators.action import AT_THE_SERVER
from tests.integration.checks.both_ways import (
    ALLOW,
    CLOSE,
    BothWays,
    answer_of,
    assert_same,
    open_both_ways,
    request,
)
from tests.integration.checks.smuggling_tricks import (
    HEADERS,
    HIDDEN,
    LINES,
    OTHER_TYPE,
    PATHS,
    TE,
    TRICKS,
    chunks,
)

pytestmark = pytest.mark.anyio


def head(key: str, *headers: bytes, line: bytes = b"POST /v1/checks HTTP/1.1") -> bytes:
    own = [b"Host: node", b"Authorization: Bearer " + key.encode()]
    if OTHER_TYPE not in headers:
        own.append(b"Content-Type: application/json")
    return b"\r\n".join([line, *own, *headers, b"", b""])


def statuses(answered: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", answered)]


async def refuse_two_ends(
    ways: BothWays,
) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    for name, (headers, behind) in TRICKS.items():
        for more in ([], [OTHER_TYPE]):
            sent = head(key, *more, *headers)
            assert statuses(await assert_same(ways, [sent + behind])) == [400], name
            assert statuses(await assert_same(ways, [sent, behind])) == [400], name


async def refuse_two_ends_in_their_turn(
    ways: BothWays,
) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    first = request(ALLOW, key)
    for name, (headers, behind) in TRICKS.items():
        sent = head(key, *headers) + behind
        assert statuses(await assert_same(ways, [first + first + sent])) == [200, 200, 400], name


async def answer_a_broken_body_no_second_time(ways: BothWays) -> None:
    for way in (ways.lane, ways.ordinary):
        reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
        writer.write(head("chk_unknown", TE))
        assert b" 401 " in (await answer_of(reader))[:16]
        writer.write(b"no chunk\r\n" + HIDDEN)
        assert await reader.read() == b""
        writer.close()


UPGRADE = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABk"]
TO_H2C = ["Connection: Upgrade, HTTP2-Settings", *UPGRADE]
TO_H2C_AND_CLOSE = ["Connection: close, Upgrade, HTTP2-Settings", *UPGRADE]


async def ignore_bytes_behind_the_last_request(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    closing = request(ALLOW, key, more=CLOSE)
    for last in (closing, closing.replace(b"HTTP/1.1", b"HTTP/1.0")):
        assert statuses(await assert_same(ways, [last + HIDDEN])) == [200]
        assert statuses(await assert_same(ways, [last, HIDDEN])) == [200]


async def ignore_a_wish_for_another_protocol(ways: BothWays) -> None:
    """As the HTTP client of Java sends it, with the first request of a connection without TLS."""
    key = ways.keys[AccountRole.INSTITUTION]
    wishing, last = request(ALLOW, key, more=TO_H2C), request(ALLOW, key, more=CLOSE)
    cut = wishing.index(b"\r\n\r\n") + 4
    for pieces in ([wishing + last], [wishing[:9], wishing[9:cut], wishing[cut:] + last]):
        assert statuses(await assert_same(ways, pieces)) == [200, 200]
    chunked = head(key, TE, *map(str.encode, TO_H2C_AND_CLOSE)) + chunks(ALLOW)
    assert statuses(await assert_same(ways, [chunked + HIDDEN])) == [200]
    for name, (headers, behind) in TRICKS.items():
        sent = head(key, *headers, *map(str.encode, TO_H2C)) + behind
        assert statuses(await assert_same(ways, [sent])) == [400], name


async def answer_lines_paths_and_headers_once(
    ways: BothWays,
) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    for line, wanted in LINES.items():
        sent = request(b"", key, head=line, more=CLOSE)
        assert statuses(await assert_same(ways, [sent + HIDDEN])) == wanted, line
    for path, status in PATHS.items():
        sent = request(ALLOW, key, head=f"POST {path} HTTP/1.1", more=CLOSE)
        assert statuses(await assert_same(ways, [sent + HIDDEN])) == [status], path
    for header, status in HEADERS.items():
        sent = request(ALLOW, key, more=[*CLOSE, header])
        assert statuses(await assert_same(ways, [sent + HIDDEN])) == [status], header


async def ignore_trailers(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    for trailer in (b"Authorization: Bearer x", b"Content-Type: text/plain", b"Host: other"):
        behind = chunks(ALLOW)[:-2] + trailer + b"\r\n\r\n"
        answered = await assert_same(
            ways, [head(key, TE) + behind + request(ALLOW, key, more=CLOSE)]
        )
        assert statuses(answered) == [200, 200], trailer


async def refuse_trailers_without_end(ways: BothWays) -> None:
    key = ways.keys[AccountRole.INSTITUTION]
    begun = head(key, OTHER_TYPE, TE) + chunks(ALLOW)
    trailer = begun[:-2] + b"A: "
    extension = begun[: -len(b"0\r\n\r\n")] + b"0;a="
    for sent in (trailer, extension):
        pieces = [sent, *[b"a" * 16_384] * 5]
        assert statuses(await assert_same(ways, pieces)) == [413]


async def believe_no_stranger_about_an_address(
    ways: BothWays,
) -> None:
    runtime = ways.node.routed.state.runtime
    account = await runtime.accounts.create(
        name="bound",
        role=AccountRole.INSTITUTION,
        scope=AccountScope(networks=read_networks(["192.0.2.0/24"])),
        by=AT_THE_SERVER,
    )
    key = (await runtime.account_keys.create(account.id, Scope(), None, by=AT_THE_SERVER)).key
    await runtime.key_ring.refresh()
    for header in (
        "X-Forwarded-For: 192.0.2.7",
        "Forwarded: for=192.0.2.7",
        "X-Real-IP: 192.0.2.7",
    ):
        sent = request(ALLOW, key, more=[*CLOSE, header])
        assert statuses(await assert_same(ways, [sent])) == [403], header


async def test_a_request_that_may_be_read_in_two_ways_is_refused_or_answered_once(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with open_both_ways(tmp_path, database_url, redis_url) as ways:
        await refuse_two_ends(ways)
        await refuse_two_ends_in_their_turn(ways)
        await answer_a_broken_body_no_second_time(ways)
        await ignore_bytes_behind_the_last_request(ways)
        await ignore_a_wish_for_another_protocol(ways)
        await answer_lines_paths_and_headers_once(ways)
        await ignore_trailers(ways)
        await refuse_trailers_without_end(ways)
        await believe_no_stranger_about_an_address(ways)
