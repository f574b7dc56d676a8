"""Rules for every request and every answer, on plain ASGI."""

import asyncio
import gzip
import json
import logging
from typing import Any

import httpx
import pytest

from checker.api.compression import compressed
from checker.api.exchange import json_reply, send_reply
from checker.api.manners import fault_of, finishing, headless, logged_id, request_id_of
from checker.api.media_types import json_alone, refuse_media_type
from checker.api.operation import JSON, NDJSON, RequestBody
from checker.api.responses import bug
from checker.errors import UnsupportedMediaType

pytestmark = pytest.mark.anyio

NUMBER = "440882189001011230"
JSON_BODY = RequestBody(kinds=(), bytes_max=None, example=None)
LINES = RequestBody(
    kinds=(), bytes_max=None, example=None, media_type=NDJSON, text_examples={"text/csv": ""}
)
LONG = {"items": ["all of it"] * 200}


class Sent:
    """The messages of one answer."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def __call__(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def headers(self) -> httpx.Headers:
        return httpx.Headers(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])


def scope(*headers: tuple[bytes, bytes], version: str = "1.1", query: bytes = b"") -> Any:
    return {
        "headers": list(headers),
        "http_version": version,
        "path": "/v1/checks",
        "query_string": query,
    }


@pytest.mark.parametrize(
    ("asked", "is_refused"),
    [
        (scope((b"host", b"a")), False),
        (scope(), True),
        (scope(version="1.0"), False),
        (scope((b"host", b"")), True),
        (scope((b"host", b"a"), (b"host", b"a")), True),
        (scope((b"host", b"a"), (b"host", b"b"), version="1.0"), True),
        (scope((b"host", b"a"), (b"authorization", b"x"), (b"authorization", b"x")), True),
        (scope((b"host", b"a"), (b"content-type", b"x"), (b"content-type", b"y")), True),
        (scope((b"host", b"a"), (b"accept", b"x"), (b"accept", b"y")), False),
        (scope((b"host", b"a"), query=b"key=x"), True),
    ],
)
def test_headers_that_a_proxy_may_read_in_another_way_are_refused(
    asked: Any, is_refused: bool
) -> None:
    assert (fault_of(asked, dict(asked["headers"])) is not None) is is_refused


@pytest.mark.parametrize(
    "token",
    [b"a", b"req-20261123-0001", b"A.b_c-9", b"x" * 128, b"8d0f6c1e-6f0b-4c8a-9d56-1c7a2b3d4e5f"],
)
def test_a_plain_short_token_is_taken_as_the_id_of_a_request(token: bytes) -> None:
    assert request_id_of({b"x-request-id": token}) == token


@pytest.mark.parametrize(
    "token",
    [b"", b"x" * 129, b"a b", b"a\r\nb", "名".encode(), NUMBER.encode(), b"E12345678"],
)
def test_any_other_id_is_replaced_by_a_drawn_one(token: bytes) -> None:
    drawn = request_id_of({b"x-request-id": token})
    assert drawn != token
    assert request_id_of({b"x-request-id": drawn}) == drawn


def test_an_id_that_may_name_a_person_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    drawn = request_id_of({})
    assert logged_id(drawn) == {"request_id": drawn.decode()}
    assert logged_id(b"chen-shili") == {}
    with caplog.at_level(logging.ERROR):
        bug(ValueError(NUMBER), drawn)
    [record] = caplog.records
    assert record.__dict__["request_id"] == drawn.decode()


async def test_each_answer_has_the_general_headers_once_by_both_ways() -> None:
    fast, routed = Sent(), Sent()
    await send_reply(fast, json_reply({}), b"id")
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
    }
    await finishing(routed, b"id")(start)
    assert fast.headers == routed.headers
    assert fast.headers["x-request-id"] == "id"
    assert fast.headers["cache-control"] == "no-store"
    assert fast.headers["x-content-type-options"] == "nosniff"


async def test_an_answer_with_its_own_cache_control_keeps_it() -> None:
    sent = Sent()
    await send_reply(sent, json_reply({}, headers={"cache-control": "public"}), b"id")
    assert sent.headers.get_list("cache-control") == ["public"]


async def test_a_head_request_gets_the_headers_alone_and_ends_a_stream() -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    sent = Sent()
    asked = {"type": "http", "method": "HEAD"}
    scope, body, send = headless(asked, receive, sent)
    assert (scope["method"], asked["method"]) == ("GET", "HEAD")
    assert (await body())["type"] == "http.request"
    ended = asyncio.create_task(body())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await send({"type": "http.response.body", "body": b"y"})
    assert (await ended)["type"] == "http.disconnect"
    assert [message.get("body") for message in sent.messages] == [None, b""]


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_long_answer_is_compressed(parts: int) -> None:
    body = json.dumps(LONG).encode()
    sent = await answered(b"gzip", [body] * parts)
    assert sent.headers["content-encoding"] == "gzip"
    assert gzip.decompress(sent.body) == body * parts
    if parts == 1:
        assert sent.headers["content-length"] == str(len(sent.body))


async def test_other_answers_are_sent_as_they_are() -> None:
    long = json.dumps(LONG).encode()
    for accepted, body, more in (
        (b"br", long, {}),
        (None, long, {}),
        (b"gzip", b"{}", {}),
        (b"gzip", long, {b"content-encoding": b"gzip"}),
        (b"gzip", long, {b"content-type": b"image/png"}),
    ):
        sent = await answered(accepted, [body], more)
        assert sent.body == body
        assert sent.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("content_type", "body", "is_taken"),
    [
        (None, JSON_BODY, True),
        (JSON, JSON_BODY, True),
        ("Application/JSON; charset=utf-8", JSON_BODY, True),
        ("application/merge-patch+json", JSON_BODY, True),
        ("application/x-www-form-urlencoded", JSON_BODY, True),
        (NDJSON, JSON_BODY, False),
        ("text/plain", JSON_BODY, False),
        ("application/xml", JSON_BODY, False),
        ("multipart/form-data; boundary=x", JSON_BODY, False),
        ("text/json", JSON_BODY, False),
        ("", JSON_BODY, False),
        (NUMBER, JSON_BODY, False),
        (NDJSON, LINES, True),
        (JSON, LINES, True),
        ("text/csv; charset=utf-8", LINES, True),
        ("application/jsonl", LINES, True),
        ("text/plain", LINES, False),
    ],
)
def test_a_body_is_read_under_its_own_types_alone(
    content_type: str | None, body: RequestBody, is_taken: bool
) -> None:
    if is_taken:
        refuse_media_type(content_type, body)
        return
    with pytest.raises(UnsupportedMediaType) as refused:
        refuse_media_type(content_type, body)
    assert NUMBER not in str(refused.value)


@pytest.mark.parametrize(
    ("parts", "is_taken"),
    [
        ([b'{"a": 1}'], True),
        ([b" \n", b'[{"a": 1}]'], True),
        ([b'{"a"', b"=1}"], True),
        ([b""], True),
        ([b"a=1"], False),
        ([b"\n", b"%7B%22a"], False),
    ],
)
async def test_the_type_of_a_form_is_taken_for_json_alone(
    parts: list[bytes], is_taken: bool
) -> None:
    left = iter(parts)

    async def receive() -> Any:
        return {"type": "http.request", "body": next(left), "more_body": True}

    reading = json_alone(receive, "application/x-www-form-urlencoded; charset=utf-8", JSON_BODY)
    try:
        read = [(await reading())["body"] for _ in parts]
    except UnsupportedMediaType:
        assert not is_taken
    else:
        assert is_taken
        assert read == parts


async def answered(
    accepted: bytes | None, parts: list[bytes], more: dict[bytes, bytes] | None = None
) -> Sent:
    sent = Sent()
    send = compressed(sent, accepted)
    headers = {b"content-type": b"application/json"} | (more or {})
    if len(parts) == 1:
        headers[b"content-length"] = str(len(parts[0])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": list(headers.items())})
    for place, part in enumerate(parts, start=1):
        await send({"type": "http.response.body", "body": part, "more_body": place < len(parts)})
    return sent
