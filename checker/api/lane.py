"""The fast lane: answers checks itself and hands everything else to Litestar.

A framework's routing and wrapping cost several times what a check of an innocent does. Of a check
the lane does nothing that the routed handlers do not: both call the same `ChecksResource`. In front
of all addresses it refuses keys in URLs, which are nobody's to read. It watches how the bodies of
routed requests come in (`checker.api.bodies`); `ChecksResource` reads its own through the same.
"""

from typing import Any

from litestar import Litestar

from checker.api.bodies import Bodies
from checker.api.checks import ChecksResource
from checker.api.exchange import Reply, reply_to, send_reply
from checker.api.responses import bug, log_broken_answer
from checker.api.url_keys import key_in_url

_AUTHORIZATION = b"authorization"
_CHECKS = "/v1/checks"
_BATCH = "/v1/checks/batch"

LANE_PATHS = frozenset({_CHECKS, _BATCH})
"""What the lane answers, by POST."""


class Lane:
    """An ASGI application in front of `routed`, which answers all addresses by itself too."""

    def __init__(self, app: Litestar, bodies: Bodies) -> None:
        self.routed = app
        self._bodies = bodies

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer `POST /v1/checks` and its batch; pass on whatever else comes."""
        if scope["type"] == "http" and scope["query_string"]:
            has_header = any(name == _AUTHORIZATION for name, _ in scope["headers"])
            refused = key_in_url(scope["path"], scope["query_string"], has_header=has_header)
            if refused is not None:
                await send_reply(send, reply_to(refused))
                return
        if scope["type"] == "http" and scope["method"] == "POST":
            path = scope["path"]
            if path == _CHECKS:
                await send_reply(send, await self._answer(scope, receive, batch=False))
                return
            if path == _BATCH:
                await send_reply(send, await self._answer(scope, receive, batch=True))
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

    async def _answer(self, scope: Any, receive: Any, *, batch: bool) -> Reply:
        resource: ChecksResource = self.routed.state.checks
        authorization = None
        for name, value in scope["headers"]:
            if name == _AUTHORIZATION:
                authorization = value.decode("latin-1")
                break
        try:
            if batch:
                return await resource.create_batch(authorization, receive)
            return await resource.create(authorization, receive)
        except Exception as error:
            reply = bug(error)
            self.routed.state.metrics.failed("batch" if batch else "checks", reply.status)
            return reply
