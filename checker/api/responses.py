"""Turns replies into Litestar responses, and every error into a problem."""

import logging
import re
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from checker.api.exchange import NO_CONTENT, Reply, encode, reply_to
from checker.api.problems import MEDIA_TYPE, METHOD_NOT_ALLOWED, describe
from checker.errors import CheckerError, InvalidRequest, NotFound
from checker.fault_log import class_and_place

NOWHERE = "nowhere"
"""The resource under which a request is counted that no route knows."""

_PARAMETER = re.compile(r"\{\w+\}")

_log = logging.getLogger(__name__)


def respond(reply: Reply) -> Response[bytes | None]:
    """Return a Litestar response that sends this reply."""
    return Response(
        None if reply.status == NO_CONTENT.status else reply.body,
        status_code=reply.status,
        media_type=reply.media_type,
        headers=dict(reply.headers),
    )


def handle_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Return the problem that answers an error, and count it; only bugs are logged."""
    response = _answer(request, error)
    request.app.state.metrics.failed(_resource_of(request), response.status_code)
    return response


def _answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    match error:
        case CheckerError():
            return respond(reply_to(error))
        case MethodNotAllowedException():
            problem = describe(METHOD_NOT_ALLOWED, "the address exists, the method does not")
            allowed = _methods_at(request.app, request.scope["path"])
            headers = {"allow": ", ".join(sorted(allowed))}
            return respond(
                Reply(
                    status=problem.status,
                    body=encode(problem),
                    media_type=MEDIA_TYPE,
                    headers=headers,
                )
            )
        case NotFoundException():
            return respond(reply_to(NotFound("nothing is at this address")))
        case HTTPException() if error.status_code < 500:
            return respond(reply_to(InvalidRequest("the request is not as it must be")))
        case _:
            return respond(bug(error))


def _resource_of(request: Request[Any, Any, Any]) -> str:
    """Return the first word of the route, or `nowhere` for an address without a route."""
    words = request.scope.get("path_template", "").strip("/").removeprefix("v1/").split("/")
    return words[0] or NOWHERE


def _methods_at(app: Litestar, path: str) -> set[str]:
    """Return the methods of an address; each parameter in a route stands for one part of it."""
    methods: set[str] = set()
    for route in app.routes:
        fixed = _PARAMETER.split(route.path_format)
        if re.fullmatch("[^/]+".join(map(re.escape, fixed)), path):
            methods.update(getattr(route, "methods", ()))
    return methods


def log_broken_answer(error: Exception) -> None:
    """Log the class and place of an error that cut an answer; its text may quote the request."""
    _log.error("an answer broke off: %s", class_and_place(error))


def bug(error: Exception) -> Reply:
    """Log the class and place of a bug, and return the answer; its text may quote the request."""
    _log.error("unexpected %s", class_and_place(error))
    return reply_to(error)
