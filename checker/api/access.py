"""Who calls, for the handlers that Litestar answers."""

from typing import Any

from litestar import Request

from checker.accounts.keys import Action, Caller
from checker.errors import OutOfScope


async def require(request: Request[Any, Any, Any], action: Action) -> Caller:
    """Tell who calls, if they may do this.

    Raises:
        Unauthenticated: no key that is known.
        OutOfScope: the account's role may not.
    """
    key_ring = request.app.state.runtime.key_ring
    caller: Caller = await key_ring.caller(request.headers.get("authorization"))
    if not caller.may(action):
        raise OutOfScope(f"the role {caller.role} may not do this")
    return caller
