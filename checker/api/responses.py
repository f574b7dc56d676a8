"""Turns replies into Litestar responses, and every error into a problem."""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any, Final

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.response import Stream

from checker.api.exchange import BODILESS, Reply, encode, reply_to
from checker.api.manners import id_in, logged_id
from checker.api.problems import MEDIA_TYPE, METHOD_NOT_ALLOWED, describe
from checker.errors import CheckerError, InvalidRequest, NotFound
from checker.fault_log import class_and_place

NOWHERE = "nowhere"
"""The resource under which a request is counted that no route knows."""

_PARAMETER = re.compile(r"\{\w+\}")
_FILE: Final = "/{file_path:path}"
"""The end of the route of a folder of files."""

_log = logging.getLogger(__name__)


def respond(reply: Reply) -> Response[bytes | None]:
    """Return a Litestar response that sends this reply."""
    is_bodiless = reply.status in BODILESS
    return Response(
        None if is_bodiless else reply.body,
        status_code=reply.status,
        headers=dict(reply.headers) if is_bodiless else typed(reply.media_type, reply.headers),
    )


def stream(
    parts: AsyncIterator[bytes], media_type: str, headers: Mapping[str, str] | None = None
) -> Stream:
    """Return a Litestar response that sends these parts."""
    return Stream(parts, headers=typed(media_type, headers or {}))


def typed(media_type: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with the type; Litestar would append a second charset to its own."""
    return {**headers, "content-type": media_type}


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
            headers = {"allow": methods_at(request.app, request.scope["path"])}
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
            return respond(bug(error, id_in(request.scope)))


def _resource_of(request: Request[Any, Any, Any]) -> str:
    """Return the first word of the route, or `nowhere` for an address without a route."""
    words = request.scope.get("path_template", "").strip("/").removeprefix("v1/").split("/")
    return words[0] or NOWHERE


def methods_at(app: Litestar, path: str) -> str:
    """Return the methods of an address, as `Allow` names them; the text is empty for no address.

    Each parameter in a route stands for one part of the path. Of two routes that match a path, the
    router takes the one with fewer parameters.
    """
    address = path.rstrip("/") or "/"
    found = [each for each in app.routes if _pattern(each.path_format).fullmatch(address)]
    if not found:
        return ""
    route = min(found, key=lambda each: each.path_format.count("{"))
    methods = {"OPTIONS", *getattr(route, "methods", ())}
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))


@cache
def _pattern(path_format: str) -> re.Pattern[str]:
    # The path of a file below a folder has several parts.
    parts = _PARAMETER.split(path_format.removesuffix(_FILE))
    below = "(/.*)?" if path_format.endswith(_FILE) else ""
    return re.compile("[^/]+".join(map(re.escape, parts)) + below)


def log_broken_answer(error: Exception, request_id: bytes | None = None) -> None:
    """Log the class and place of an error that cut an answer; its text may quote the request."""
    _log.error("an answer broke off: %s", class_and_place(error), extra=logged_id(request_id))


def bug(error: Exception, request_id: bytes | None = None) -> Reply:
    """Log the class and place of a bug, and return the answer; its text may quote the request."""
    _log.error("unexpected %s", class_and_place(error), extra=logged_id(request_id))
    return reply_to(error)
