"""The decorator that declares an address beside its handler.

The docstring of the handler is public: its first line is the summary of the operation in the
OpenAPI document, and the rest up to `Raises:` is the description. The name of the handler is the
`operationId`.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import HttpMethod, Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from checker.accounts.keys import Action
from checker.api.access import OPERATION, guard
from checker.api.call import Call
from checker.api.exchange import Reply
from checker.api.operation import KeyUse, Operation, RequestBody, Success, Tag
from checker.api.parameters import Parameter
from checker.api.responses import respond
from checker.errors import CheckerError
from checker.operators.action import OperatorAction

_Handler = Callable[[Call], Awaitable[Reply | Stream]]


def endpoint(
    method: str,
    path: str,
    *,
    tag: Tag,
    answers: tuple[Success, ...],
    may: tuple[Action, ...] = (),
    key: KeyUse = KeyUse.REQUIRED,
    query: tuple[Parameter[Any], ...] = (),
    body: RequestBody | None = None,
    raises: tuple[type[CheckerError], ...] = (),
    is_idempotent: bool = False,
    is_conditional: bool = False,
    guards_itself: bool = False,
    logs: OperatorAction | None = None,
) -> Callable[[_Handler], HTTPRouteHandler]:
    """Return a decorator that makes a guarded route of a handler. `Operation` has the fields."""

    def declare(handler: _Handler) -> HTTPRouteHandler:
        summary, description = _documented_by(handler)
        operation = Operation(
            method=method,
            path=path,
            operation_id=handler.__name__,
            summary=summary,
            description=description,
            tag=tag,
            key=key,
            may=frozenset(may),
            query=query,
            body=body,
            answers=answers,
            raises=raises,
            is_idempotent=is_idempotent,
            is_conditional=is_conditional,
            guards_itself=guards_itself,
            logs=logs,
        )
        assert bool(may) == (key is not KeyUse.NONE), "who may call is said twice, and differs"
        return _route(operation, handler)

    return declare


def _route(operation: Operation, handler: _Handler) -> HTTPRouteHandler:
    async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        reply = await handler(Call(request, operation))
        return respond(reply) if isinstance(reply, Reply) else reply

    return HTTPRouteHandler(
        operation.path.replace("}", ":str}"),
        http_method=HttpMethod(operation.method),
        # Each reply has its own status. Litestar would expect no body of another default.
        status_code=200,
        guards=[guard],
        opt={OPERATION: operation},
    )(answer)


def _documented_by(handler: _Handler) -> tuple[str, str]:
    """Return the summary and the description that the docstring of a handler gives."""
    text = inspect.getdoc(handler)
    assert text is not None, "a handler has a docstring"
    paragraphs = text.partition("\n\nRaises:")[0].split("\n\n")
    summary, *rest = (" ".join(each.split()) for each in paragraphs)
    return summary.removesuffix("."), "\n\n".join(rest)
