"""The conditions of a feed: its headers, and the state of its connection.

`Content-Type` may declare a charset. The other headers are conditions:

| header              | form                                | a bad form |
|---------------------|-------------------------------------|------------|
| `Idempotency-Key`   | 1 to 255 printable characters       | 400        |
| `If-Match`          | the version in quotes: `"42"`       | 400        |
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from litestar import Request

from checker.accounts.keys import Caller
from checker.api.media_types import declared_charset
from checker.api.uploads import UploadedBody
from checker.errors import Fault, InvalidRequest
from checker.intake.feed_requests import FeedTerms, RequestKey
from checker.intake.wanted import BEAT_S, Wanted
from checker.registry.sealing import Sealer

KEY_HEADER: Final = "Idempotency-Key"
KEY_LENGTH_MAX: Final = 255
MATCH_HEADER: Final = "If-Match"

# PostgreSQL's bigint ends at 2^63 - 1.
_ENTITY_TAG = re.compile(r'"(0|[1-9][0-9]{0,17})"', re.ASCII)


class FeedHeaders:
    """The headers of a feed; `charset` is the declared one, or None.

    Raises InvalidRequest if a condition has a bad form.
    """

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self._place = request.scope["path"]
        self._parameters = sorted(request.query_params.items())
        self._key = read_key(request)
        self._if_match = _version(request)
        self.charset = declared_charset(request.headers.get("content-type"))

    def terms(
        self, caller: Caller, wanted: Wanted, body: UploadedBody, sealer: Sealer
    ) -> FeedTerms:
        """Return the terms of a feed whose body is complete."""
        key = None
        if self._key is not None:
            said: list[object] = [self._place, self._parameters, body.sha256]
            if self.charset is not None:
                said.append(self.charset)
            key = RequestKey(
                key_digest=sealer.key_digest(self._place, caller.account_id, self._key),
                request_digest=sealer.request_digest(said),
            )
        return FeedTerms(
            account_id=caller.account_id,
            courts=caller.courts,
            key=key,
            if_match=self._if_match,
            wanted=wanted,
        )


def read_key(request: Request[Any, Any, Any]) -> str | None:
    """Return the idempotency key; None if none is sent. Raises InvalidRequest."""
    sent = request.headers.getall(KEY_HEADER, [])
    if not sent:
        return None
    key = sent[0].strip()
    if len(sent) == 1 and 0 < len(key) <= KEY_LENGTH_MAX and key.isprintable():
        return key
    fault = Fault("", f"send {KEY_HEADER} once: 1 to {KEY_LENGTH_MAX} printable characters")
    raise InvalidRequest(f"the header {KEY_HEADER} is not as it must be", [fault])


def _version(request: Request[Any, Any, Any]) -> int | None:
    sent = request.headers.getall(MATCH_HEADER, [])
    if not sent:
        return None
    found = _ENTITY_TAG.fullmatch(sent[0].strip())
    if len(sent) == 1 and found is not None:
        return int(found[1])
    fault = Fault("", f'send {MATCH_HEADER} once: the version of the list in quotes, as "42"')
    raise InvalidRequest(f"the header {MATCH_HEADER} is not as it must be", [fault])


@asynccontextmanager
async def watched(receive: Any, wanted: Wanted) -> AsyncIterator[None]:
    """Note in `wanted`, while the context is open, that this process runs or that the caller left.

    The body must be complete, so that the next message of `receive` is the end of the connection.
    """
    works = [asyncio.create_task(_leave(receive, wanted)), asyncio.create_task(_beat(wanted))]
    try:
        yield
    finally:
        for work in works:
            work.cancel()


async def _leave(receive: Any, wanted: Wanted) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    wanted.leave()


async def _beat(wanted: Wanted) -> None:
    while True:
        wanted.beat()
        await asyncio.sleep(BEAT_S)
