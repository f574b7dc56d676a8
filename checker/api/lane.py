"""The fast lane: answers checks and pages itself, and passes every other request to Litestar.

The routing of a framework costs several times as much as the check of an innocent. The lane and the
routed handlers call the same `ChecksResource`, so they give the same answers. At all addresses the
lane refuses a key in the URL. It watches how the bodies of routed requests arrive
(`checker.api.bodies`); `ChecksResource` reads its bodies through the same object.
"""

from typing import Any

from litestar import Litestar

from checker.api.answering import ChecksResource
from checker.api.batch_turns import declared_length
from checker.api.bodies import Bodies
from checker.api.caller_address import caller_address
from checker.api.exchange import Reply, reply_to, send_reply
from checker.api.pages import Served
from checker.api.responses import bug, log_broken_answer
from checker.api.url_keys import key_in_url

_AUTHORIZATION = b"authorization"
_CHECKS = "/v1/checks"
_BATCH = "/v1/checks/batch"

_PAGE_HEADERS = ("accept-encoding", "if-none-match")

LANE_PATHS = frozenset({_CHECKS, _BATCH})
"""The lane answers POST at these addresses."""


class Lane:
    """An ASGI application in front of `routed`, which could answer every address alone."""

    def __init__(self, app: Litestar, bodies: Bodies) -> None:
        self.routed = app
        self._bodies = bodies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer checks, batches and pages; pass every other request to `routed`."""
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
            return
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        if query:
            has_header = any(name == _AUTHORIZATION for name, _ in scope["headers"])
            refused = key_in_url(path, query, has_header=has_header)
            if refused is not None:
                await send_reply(send, reply_to(refused))
                return
        if method == "POST":
            if path == _CHECKS:
                await send_reply(send, await self._answer_check(scope, receive))
                return
            if path == _BATCH:
                await self._answer_batch(scope, receive, send)
                return
        elif method == "GET":
            served: Served | None = self.routed.state.pages.get(path)
            if served is not None:
                await send_reply(send, await _answer_page(scope, served))
                return
        await self._pass_on(scope, receive, send)

    async def _pass_on(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            if scope["type"] != "http":
                await self.routed(scope, receive, send)
            elif any(name == _AUTHORIZATION for name, _ in scope["headers"]):
                await self.routed(scope, self._bodies.watched(receive), send)
            else:
                with self._bodies.keyless(receive) as keyless:
                    await self.routed(scope, keyless, send)
        except Exception as error:
            log_broken_answer(error)
            raise

    async def _answer_check(self, scope: Any, receive: Any) -> Reply:
        resource: ChecksResource = self.routed.state.checks
        try:
            return await resource.create(_authorization(scope), receive, caller_address(scope))
        except Exception as error:
            reply = bug(error)
            self.routed.state.metrics.failed("checks", reply.status)
            return reply

    async def _answer_batch(self, scope: Any, receive: Any, send: Any) -> None:
        resource: ChecksResource = self.routed.state.checks
        length = declared_length(_header(scope, b"content-length"))
        is_begun = False
        try:
            async with resource.created_batch(
                _authorization(scope), receive, caller_address(scope), body_bytes=length
            ) as reply:
                is_begun = True
                # Within the block: a batch takes up its turn until its answer is sent.
                await send_reply(send, reply)
        except Exception as error:
            if is_begun:
                raise
            reply = bug(error)
            self.routed.state.metrics.failed("batch", reply.status)
            await send_reply(send, reply)


async def _answer_page(scope: Any, served: Served) -> Reply:
    try:
        page = await served.page()
    except Exception as error:
        return bug(error)
    wanted = {name: _header(scope, name.encode()) for name in _PAGE_HEADERS}
    return page.reply({name: value.decode("latin-1") for name, value in wanted.items() if value})


def _authorization(scope: Any) -> str | None:
    value = _header(scope, _AUTHORIZATION)
    return None if value is None else value.decode("latin-1")


def _header(scope: Any, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            found: bytes = value
            return found
    return None
