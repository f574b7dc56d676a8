"""One call of an operation, as its handler sees it: who calls, what was sent, and the node."""

from functools import cache
from typing import Any, TypeVar

import msgspec
from litestar import Request

from checker.accounts.keys import Caller
from checker.api.access import CallOrigin
from checker.api.exchange import read_body
from checker.api.media_types import Receive, json_alone
from checker.api.metrics import Metrics
from checker.api.operation import Operation
from checker.api.parameters import Parameter
from checker.decoding import decode, refuse_repeated
from checker.node.runtime import Runtime
from checker.operators.action import ActionAuthor, Door

T = TypeVar("T")


class Call:
    """A request that the guard has admitted to an operation."""

    def __init__(self, request: Request[Any, Any, Any], operation: Operation) -> None:
        self.request = request
        self._operation = operation
        self.runtime: Runtime = request.app.state.runtime
        self.metrics: Metrics = request.app.state.metrics

    @property
    def origin(self) -> CallOrigin:
        """Return the network address and the caller."""
        origin: CallOrigin = self.request.state.origin
        return origin

    @property
    def caller(self) -> Caller:
        """Return the caller of an operation that requires a key."""
        caller = self.origin.caller
        assert caller is not None, "the operation requires a key"
        return caller

    @property
    def author(self) -> ActionAuthor:
        """Return the caller as the author of an operator's action."""
        assert self._operation.logs is not None, "the operation is no operator's action"
        caller = self.caller
        return ActionAuthor(door=Door.API, account_id=caller.account_id, key_pk=caller.key_pk)

    def path(self, name: str) -> str:
        """Return the part of the address that stands for `{name}`."""
        found: str = self.request.path_params[name]
        return found

    def query(self, parameter: Parameter[T]) -> T:
        """Return the value of a parameter of the query. Raises InvalidRequest."""
        declared = self._operation.query
        assert parameter in declared, "the parameter is not declared"
        return parameter.read(self.request.query_params.get(parameter.name))

    @property
    def receive(self) -> Receive:
        """Return the ASGI `receive` of the body.

        It raises UnsupportedMediaType if the body is a form.
        """
        declared = self._operation.body
        assert declared is not None, "the operation has no body"
        content_type = self.request.headers.get("content-type")
        return json_alone(self.request.receive, content_type, declared)

    async def body(self, kind: type[T], *, outline: type[Any] | None = None) -> T:
        """Read and decode the body; an empty body that is not required gives `kind()`.

        `outline` is a struct that the body must fit too, where `kind` asks for too little.

        Raises:
            InvalidRequest: the body is not JSON of this kind, has a field twice, or was cut off.
            TooLarge: the body has more bytes than the operation takes.
            BodyStalled: the body came too slowly, or stopped.
            UnsupportedMediaType: the body is a form.
        """
        declared = self._operation.body
        assert declared is not None, "the operation has no body"
        assert kind in declared.kinds, "the body is declared as another kind"
        assert declared.bytes_max is not None, "the handler reads this body by itself"
        body = await read_body(
            self.receive,
            declared.bytes_max,
            within_s=self.runtime.config.server.body_timeout_s,
        )
        if not body and not declared.required:
            return kind()
        hashable: Any = outline  # mypy does not see that a class can be hashed
        if outline is not None:
            decode(_decoder(hashable), body)
        hashable = kind
        decoder: msgspec.json.Decoder[T] = _decoder(hashable)
        decoded = decode(decoder, body)
        refuse_repeated(body)
        return decoded

    async def spend(self, items: int) -> None:
        """Take items from the quota of the caller.

        Raises:
            QuotaExceeded: the caller has fewer items left; none was taken.
        """
        self.request.state.allowance = await self.runtime.quotas.take(self.caller, items)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
