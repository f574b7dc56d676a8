"""Who calls, for the handlers that Litestar answers."""

from typing import Any

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from checker.accounts.keys import Action, Caller
from checker.api.caller_address import caller_address
from checker.api.exchange import rate_limit_headers
from checker.errors import OutOfScope


async def require(request: Request[Any, Any, Any], *actions: Action) -> Caller:
    """Tell who calls, if they may do any of this; `tell_allowance` then tells what they have left.

    Raises:
        Unauthenticated: no key that is known.
        OutOfScope: the account's role or networks do not allow the call.
    """
    key_ring = request.app.state.runtime.key_ring
    caller: Caller = await key_ring.caller(
        request.headers.get("authorization"), caller_address(request.scope)
    )
    request.state.allowance = await request.app.state.runtime.quotas.take(caller, 0)
    if not any(caller.may(action) for action in actions):
        raise OutOfScope(f"the role {caller.role} may not do this")
    return caller


async def admit(request: Request[Any, Any, Any], action: Action) -> Caller | None:
    """Tell who calls where a key may be left out; None: nobody with a key.

    Raises:
        Unauthenticated: a key that is not known: it is never as good as none.
        OutOfScope: the account's role may not.
    """
    if "authorization" not in request.headers:
        return None
    return await require(request, action)


async def tell_allowance(message: Message, scope: Scope) -> None:
    """Put the `RateLimit` headers on every answer to a keyed call, whatever it says."""
    if message["type"] != "http.response.start":
        return
    allowance = scope.get("state", {}).get("allowance")
    if allowance is not None:
        headers = MutableScopeHeaders.from_message(message)
        for name, value in rate_limit_headers(allowance).items():
            headers[name] = value
