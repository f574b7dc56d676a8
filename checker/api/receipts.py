"""`GET /.well-known/jwks.json`: the keys by which anybody verifies a receipt."""

from litestar import Response, get
from litestar.datastructures import State

from checker.api.exchange import Reply, encode
from checker.api.responses import respond
from checker.node.runtime import Runtime
from checker.receipts.receipt_keys import KEPT_BY_VERIFIERS_S

_HEADERS = {"cache-control": f"public, max-age={KEPT_BY_VERIFIERS_S}"}


@get("/.well-known/jwks.json")
async def list_receipt_keys(state: State) -> Response[bytes]:
    """Show them from memory, newest first: whoever has a receipt is always answered."""
    runtime: Runtime = state.runtime
    body = encode(runtime.receipt_keys.published())
    return respond(Reply(status=200, body=body, headers=_HEADERS))
