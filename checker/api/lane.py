"""The fast lane: answers checks and pages itself, and passes every other request to Litestar.

The routing of a framework costs several times as much as the check of an innocent. The lane and the
routed handlers call the same `ChecksResource`, so they give the same answers. The rules for every
address (`checker.api.manners`) are kept here, in front of both ways. The lane watches how the
bodies of routed requests arrive (`checker.api.bodies`); `ChecksResource` reads its bodies through
the same object.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Litestar

from checker.api.answering import CheckHead, ChecksResource
from checker.api.answering_batches import BatchesResource
from checker.api.batch_turns import declared_length
from checker.api.bodies import Bodies
from checker.api.caller_address import TrustedProxies, caller_address
from checker.api.compression import compressed
from checker.api.exchange import NO_CONTENT, Reply, reply_to, send_reply
from checker.api.manners import REQUEST_ID, fault_of, finishing, headless, request_id_of
from checker.api.pages import Served
from checker.api.responses import bug, log_broken_answer, methods_at

_AUTHORIZATION = b"authorization"
CHECKS = "/v1/checks"
"""The address of a check."""

_BATCH = "/v1/checks/batch"

_PAGE_HEADERS = ("accept-encoding", "if-none-match")

LANE_PATHS = frozenset({CHECKS, _BATCH})
"""The lane answers POST at these addresses."""

_Headers = Mapping[bytes, bytes]


class Lane:
    """An ASGI application in front of `routed`, which could answer every address alone."""

    def __init__(self, app: Litestar, bodies: Bodies) -> None:
        self.routed = app
        self._bodies = bodies

    @property
    def checks(self) -> ChecksResource:
        """The resource that answers checks, once the application has started."""
        resource: ChecksResource = self.routed.state.checks
        return resource

    @property
    def batches(self) -> BatchesResource:
        """The resource that answers batches, once the application has started."""
        resource: BatchesResource = self.routed.state.batches
        return resource

    @property
    def proxies(self) -> TrustedProxies:
        """The proxies that name their callers, once the application has started."""
        proxies: TrustedProxies = self.routed.state.proxies
        return proxies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer checks, batches and pages; pass every other request to `routed`."""
        if scope["type"] != "http":
            await self._start_or_end(scope, receive, send)
            return
        self._name_caller(scope)
        sent = dict(scope["headers"])
        request_id = request_id_of(sent)
        method, path = scope["method"], scope["path"]
        if method == "POST" and path in LANE_PATHS:
            refused = fault_of(scope, sent)
            if refused is not None:
                await send_reply(send, reply_to(refused), request_id)
            elif path == CHECKS:
                reply = await self._answer_check(scope, sent, receive, request_id)
                await send_reply(send, reply, request_id)
            else:
                await self._answer_batch(scope, sent, receive, send, request_id)
            return
        if method == "HEAD":
            scope, receive, send = headless(scope, receive, send)
            method = "GET"
        if method == "GET" and not scope["query_string"]:
            served: Served | None = self.routed.state.pages.get(path)
            if served is not None and fault_of(scope, sent) is None:
                await send_reply(send, await _answer_page(sent, served, request_id), request_id)
                return
        await self._pass_on(scope, sent, receive, send, request_id)

    async def ordinary(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request by `routed` at every address, as the lane would."""
        if scope["type"] != "http":
            await self._start_or_end(scope, receive, send)
            return
        self._name_caller(scope)
        sent = dict(scope["headers"])
        if scope["method"] == "HEAD":
            scope, receive, send = headless(scope, receive, send)
        await self._pass_on(scope, sent, receive, send, request_id_of(sent))

    def _name_caller(self, scope: Any) -> None:
        """Put the address and the scheme of the caller into the scope, if a proxy hides them."""
        if self.proxies:
            peer, headers = caller_address(scope), scope["headers"]
            if self.proxies.names_tls(peer, headers):
                scope["scheme"] = "https"
            address = self.proxies.behind(peer, headers)
            scope["client"] = (address, 0)

    async def _start_or_end(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.routed(scope, receive, send)
        except Exception as error:
            log_broken_answer(error)
            raise

    async def _pass_on(
        self, scope: Any, sent: _Headers, receive: Any, send: Any, request_id: bytes
    ) -> None:
        refused = fault_of(scope, sent)
        if refused is not None:
            await send_reply(send, reply_to(refused), request_id)
            return
        method = scope["method"]
        if method == "OPTIONS":
            allowed = methods_at(self.routed, scope["path"])
            if allowed:
                reply = Reply(status=NO_CONTENT.status, body=b"", headers={"allow": allowed})
                await send_reply(send, reply, request_id)
                return
        scope[REQUEST_ID] = request_id
        send = finishing(send, request_id)
        if method == "GET":
            send = compressed(send, sent.get(b"accept-encoding"))
        try:
            if _AUTHORIZATION in sent:
                await self.routed(scope, self._bodies.watched(receive), send)
            else:
                with self._bodies.keyless(receive) as keyless:
                    await self.routed(scope, keyless, send)
        except Exception as error:
            log_broken_answer(error, request_id)
            raise

    async def _answer_check(
        self, scope: Any, sent: _Headers, receive: Any, request_id: bytes
    ) -> Reply:
        try:
            return await self.checks.create(_head(scope, sent), receive)
        except Exception as error:
            reply = bug(error, request_id)
            self.routed.state.metrics.failed("checks", reply.status)
            return reply

    async def _answer_batch(
        self, scope: Any, sent: _Headers, receive: Any, send: Any, request_id: bytes
    ) -> None:
        length = declared_length(sent.get(b"content-length"))
        is_begun = False
        try:
            async with self.batches.created_batch(
                _head(scope, sent), receive, body_bytes=length
            ) as reply:
                is_begun = True
                # Within the block: a batch takes up its turn until its answer is sent.
                await send_reply(send, reply, request_id)
        except Exception as error:
            if is_begun:
                raise
            reply = bug(error, request_id)
            self.routed.state.metrics.failed("batch", reply.status)
            await send_reply(send, reply, request_id)


async def _answer_page(sent: _Headers, served: Served, request_id: bytes) -> Reply:
    try:
        page = await served.page()
    except Exception as error:
        return bug(error, request_id)
    wanted = {name: _text(sent.get(name.encode())) for name in _PAGE_HEADERS}
    return page.reply({name: value for name, value in wanted.items() if value})


def _head(scope: Any, sent: _Headers) -> CheckHead:
    return CheckHead(
        _text(sent.get(_AUTHORIZATION)),
        caller_address(scope),
        _text(sent.get(b"content-type")),
        scope["query_string"],
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
