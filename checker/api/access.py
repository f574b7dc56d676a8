"""Who calls, and whether they may: the one place for the rules of access.

The guard runs before each handler that Litestar routes to. Checks apply the same rules by
`refuse_access`, because the fast lane answers them too.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from checker.accounts.keys import Action, Caller
from checker.api.caller_address import caller_address
from checker.api.exchange import rate_limit_headers
from checker.api.media_types import refuse_media_type
from checker.api.operation import KeyUse, Operation
from checker.api.parameters import refuse_unknown
from checker.errors import OutOfScope

OPERATION: Final = "operation"
"""The key of an operation in the `opt` of its route handler."""


class CallOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request comes from: the network address, and the caller where a key was sent.

    The caller holds the account, the role and the key.
    """

    address: str
    caller: Caller | None


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Admit a request to its operation, and store its `CallOrigin` in the state of the request.

    Raises, the first of:
        Unauthenticated: the operation needs a key, and none was sent; or the key is not in force.
        OutOfScope: the caller may not do this.
        InvalidRequest: the query has an unknown parameter.
        UnsupportedMediaType: the body has a type that the operation does not read.
        Unavailable: PostgreSQL cannot be asked about an unknown key.
    """
    operation: Operation = handler.opt[OPERATION]
    if operation.guards_itself:
        return
    connection.state.origin = await _origin_of(connection, operation)
    refuse_unknown(connection.query_params, operation.query)
    if operation.body is not None:
        refuse_media_type(connection.headers.get("content-type"), operation.body)


def refuse_access(caller: Caller, actions: Collection[Action]) -> None:
    """Refuse a caller who may do none of these actions; the key ring has looked at the networks.

    Raises:
        OutOfScope: the role of the account may do none of the actions.
    """
    for action in actions:  # `any` with a generator takes four times as long, in each check
        if caller.may(action):
            break
    else:
        raise OutOfScope(f"the role {caller.role} may not do this")


async def add_rate_limit(message: Message, scope: Scope) -> None:
    """Put the `RateLimit` headers on every answer to a request with a valid key, errors too."""
    if message["type"] != "http.response.start":
        return
    allowance = scope.get("state", {}).get("allowance")
    if allowance is not None:
        headers = MutableScopeHeaders.from_message(message)
        for name, value in rate_limit_headers(allowance).items():
            headers[name] = value


async def _origin_of(
    connection: ASGIConnection[Any, Any, Any, Any], operation: Operation
) -> CallOrigin:
    address = caller_address(connection.scope)
    authorization = connection.headers.get("authorization")
    is_keyless = operation.key is KeyUse.OPTIONAL and authorization is None
    if is_keyless or operation.key is KeyUse.NONE:
        return CallOrigin(address=address, caller=None)
    runtime = connection.app.state.runtime
    caller: Caller = await runtime.key_ring.caller(authorization, address)
    connection.state.allowance = await runtime.quotas.take(caller, 0)
    refuse_access(caller, operation.may)
    return CallOrigin(address=address, caller=caller)
