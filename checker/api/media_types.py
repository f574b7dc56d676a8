"""The media types and charsets under which a body is read; others are refused with 415.

| `Content-Type`                      | a JSON body | lines of JSON |
|-------------------------------------|-------------|---------------|
| none                                | read        | read          |
| `application/json`, `…+json`        | read        | read          |
| `application/x-ndjson` and the like | 415         | read          |
| another type that is declared (CSV) | as declared | as declared   |
| `application/x-www-form-urlencoded` | read if it begins like JSON    ||
| any other                           | 415         | 415           |

`curl -d` names the type of a form by default, and the documentation uses `curl -d`. A form never
begins with `{` or `[`, because a browser escapes both. So a body that does is JSON under a wrong
name, and a real form is refused. No browser can use this: a key is never sent by itself.

Lines and CSV are read in the `charset` that the sender declares (`checker.text_encoding`). One
value of JSON is always UTF-8: there a charset means nothing (RFC 8259, section 11).
"""

from collections.abc import Awaitable, Callable
from email.message import Message
from typing import Any, Final

from checker.api.operation import JSON, NDJSON, RequestBody
from checker.errors import UnsupportedMediaType

FORM: Final = "application/x-www-form-urlencoded"
_LINES: Final = {NDJSON, "application/ndjson", "application/jsonl", "application/jsonlines"}
_BEGINNINGS: Final = (b"{", b"[")

Receive = Callable[[], Awaitable[Any]]


def refuse_media_type(content_type: str | None, body: RequestBody) -> None:
    """Refuse a `Content-Type` under which this body is not read; the type is not repeated.

    Raises:
        UnsupportedMediaType: the error names the types that are taken.
    """
    if content_type is None or content_type == JSON:
        return
    media_type = media_type_of(content_type)
    if media_type in {JSON, FORM, body.media_type} or media_type in body.text_examples:
        return
    if media_type.startswith("application/") and media_type.endswith("+json"):
        return
    if body.media_type == NDJSON and media_type in _LINES:
        return
    raise _refusal(body)


def media_type_of(content_type: str | None) -> str:
    """Return the media type of a `Content-Type`, in lower case and without parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def declared_charset(content_type: str | None) -> str | None:
    """Return the charset that a `Content-Type` declares, in lower case, or None."""
    if content_type is None:
        return None
    header = Message()
    header["content-type"] = content_type
    return header.get_content_charset() or None


def json_alone(receive: Receive, content_type: str | None, body: RequestBody) -> Receive:
    """Return an ASGI `receive` that raises UnsupportedMediaType if the body is a form."""
    if content_type is None or not content_type.lower().startswith(FORM):
        return receive
    has_begun = False

    async def receive_json() -> Any:
        nonlocal has_begun
        message = await receive()
        begin = message.get("body", b"").lstrip()
        if begin and not has_begun:
            has_begun = True
            if not begin.startswith(_BEGINNINGS):
                raise _refusal(body)
        return message

    return receive_json


def _refusal(body: RequestBody) -> UnsupportedMediaType:
    types = ", ".join(dict.fromkeys([body.media_type, JSON, *body.text_examples]))
    return UnsupportedMediaType(f"the body is read as one of these types alone: {types}")
