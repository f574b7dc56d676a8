"""The benchmark of notices: its endpoints take messages in any pieces, and it says what it saw."""

import asyncio
from datetime import UTC, datetime

import pytest

from loadtest.bench_notices import NoticesPlan
from loadtest.bench_report import describe, keep
from loadtest.children import free_port
from loadtest.generator import LOOPBACK
from loadtest.notice_endpoints import Endpoints, listening
from loadtest.notices_report import NoticesReport
from tests.unit.loadtest.known_origin import ORIGIN

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC)


def message(endpoint, message_id, body=b"{}"):
    head = (
        f"POST /{endpoint} HTTP/1.1\r\nHost: x\r\nWebhook-Id: {message_id}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def test_messages_are_taken_in_any_pieces_and_counted_once():
    port, endpoints = free_port(), Endpoints(frozenset(), expected=2)
    async with listening(port, endpoints):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        sent = message(1, "a", b'{"b": 1}') + message(1, "a") + message(2, "a")
        for start in range(0, len(sent), 7):
            writer.write(sent[start : start + 7])
            await writer.drain()
        async with asyncio.timeout(10):
            await endpoints.complete.wait()
            answers = await reader.readexactly(3 * len(b"HTTP/1.1 204 No Content\r\n\r\n"))
        writer.close()
    assert answers.count(b"204") == 3
    assert (len(endpoints.notices), endpoints.messages) == (2, 3)
    first = endpoints.notices[1, "a"]
    assert (first.body, first.headers["webhook-id"]) == (b'{"b": 1}', "a")


async def test_an_endpoint_that_hangs_takes_a_message_and_never_answers():
    port, endpoints = free_port(), Endpoints(frozenset({1}), expected=1)
    async with listening(port, endpoints):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(message(1, "a") + message(2, "b"))
        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert b"204" in answer
    assert list(endpoints.notices) == [(2, "b")]


def test_what_can_be_told_is_what_does_not_hang():
    plan = NoticesPlan(seed=1, listings=10, endpoints=100, hanging=10, notices=10_000)
    assert (plan.people, plan.expected) == (100, 9_000)


def test_a_report_says_how_long_it_took_and_what_came_twice(tmp_path):
    report = NoticesReport(
        origin=ORIGIN,
        listings=10,
        workers=2,
        endpoints=100,
        hanging=10,
        notices=10_000,
        told=9_000,
        repeated=3,
        feed_seconds=0.5,
        told_seconds=6.0,
    )
    told = describe(report)
    assert "10000 notices to 100 endpoints of which 10 hang" in told
    assert "9000 notices in 6.00 s after it, 1500 a second; 3 came again" in told
    assert keep(report, tmp_path).name == "20261123T010203Z-notices.json"
