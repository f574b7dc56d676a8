"""`/v1/webhook`: where an institution is told of endings; and all of them, for operators."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, post, put

from checker.accounts.keys import Action
from checker.api.access import require
from checker.api.exchange import read_body
from checker.api.parameters import refuse_unknown
from checker.api.responses import respond_json
from checker.decoding import decode
from checker.node.runtime import Runtime
from checker.notices.endpoint import URL_LENGTH_MAX
from checker.notices.webhooks import AccountWebhook

WEBHOOK_BYTES_MAX: Final = 16 * 1024


class PutWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The endpoint: an https URL of the public Internet, unless the operator allows more."""

    url: Annotated[str, msgspec.Meta(max_length=URL_LENGTH_MAX)]


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """What messages are signed with (Standard Webhooks); it is shown this once."""

    secret: str


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """How many notices are tried again."""

    notices: int


class AllWebhooks(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints of all accounts."""

    webhooks: tuple[AccountWebhook, ...]


_decoder = msgspec.json.Decoder(PutWebhook)


@put("/v1/webhook")
async def put_webhook(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Have notices sent to an endpoint; each time there is a new secret."""
    caller = await require(request, Action.RECEIVE_NOTICES)
    refuse_unknown(request, ())
    asked = decode(_decoder, await read_body(request.receive, WEBHOOK_BYTES_MAX))
    runtime: Runtime = request.app.state.runtime
    return respond_json(
        Secret(secret=await runtime.notices.webhooks.put(caller.account_id, asked.url))
    )


@get("/v1/webhook")
async def show_webhook(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Show the institution's endpoint and how it does, without its secret."""
    caller = await require(request, Action.RECEIVE_NOTICES)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    return respond_json(await runtime.notices.webhooks.show(caller.account_id))


@delete("/v1/webhook", status_code=204)
async def remove_webhook(request: Request[Any, Any, Any]) -> None:
    """Send no more; where there is no endpoint, that is so already."""
    caller = await require(request, Action.RECEIVE_NOTICES)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    await runtime.notices.webhooks.remove(caller.account_id)


@post("/v1/webhook/retry", status_code=200)
async def retry_webhook(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Send at once whatever waits or was given up."""
    caller = await require(request, Action.RECEIVE_NOTICES)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    return respond_json(Retried(notices=await runtime.notices.webhooks.retry(caller.account_id)))


@get("/v1/webhooks")
async def list_webhooks(request: Request[Any, Any, Any]) -> Response[bytes]:
    """List all endpoints, with what waits for them and what was given up."""
    await require(request, Action.SEE_WEBHOOKS)
    refuse_unknown(request, ())
    runtime: Runtime = request.app.state.runtime
    return respond_json(AllWebhooks(webhooks=tuple(await runtime.notices.webhooks.show_all())))
