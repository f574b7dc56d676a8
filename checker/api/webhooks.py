"""`/v1/webhook`: the endpoint for the notices of an institution; `/v1/webhooks`: all endpoints."""

from typing import Annotated, Final

import msgspec

from checker.accounts.keys import Action
from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import NO_CONTENT, Reply, json_reply
from checker.api.notices import NOTICES
from checker.api.operation import RequestBody, Success
from checker.errors import NotFound
from checker.notices.endpoint import URL_LENGTH_MAX
from checker.notices.webhooks import AccountWebhook, WebhookView

WEBHOOK_BYTES_MAX: Final = 16 * 1024

_WEBHOOK: Final = {
    "url": "https://hotel.test/notices",
    "state": "active",
    "pending": 0,
    "dead": 0,
    "last_failure": None,
    "last_success_at": "2026-11-23T01:02:03.456Z",
}


class PutWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The endpoint: an https URL of the public Internet, unless the operator allows more."""

    url: Annotated[
        str,
        msgspec.Meta(
            max_length=URL_LENGTH_MAX, extra_json_schema={"format": "uri", "pattern": "^https?://"}
        ),
    ]


class WebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The secret that signs messages (Standard Webhooks); it is shown this once."""

    secret: str


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """The number of notices that are tried again."""

    notices: int


class AllWebhooks(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints of all accounts."""

    webhooks: tuple[AccountWebhook, ...]


@endpoint(
    "PUT",
    "/v1/webhook",
    may=(Action.RECEIVE_NOTICES,),
    tag=NOTICES,
    body=RequestBody(
        kinds=(PutWebhook,),
        bytes_max=WEBHOOK_BYTES_MAX,
        example={"url": "https://hotel.test/notices"},
    ),
    answers=(
        Success(
            kinds=(WebhookSecret,),
            example={"secret": "whsec_…"},
            description="The secret, shown this once",
        ),
    ),
)
async def put_webhook(call: Call) -> Reply:
    """Set the endpoint that receives your notices.

    Each call makes a new secret, which signs the messages as Standard Webhooks describes.
    """
    asked = await call.body(PutWebhook)
    secret = await call.runtime.notices.webhooks.put(call.caller.account_id, asked.url)
    return json_reply(WebhookSecret(secret=secret))


@endpoint(
    "GET",
    "/v1/webhook",
    may=(Action.RECEIVE_NOTICES,),
    tag=NOTICES,
    answers=(Success(kinds=(WebhookView,), example=_WEBHOOK),),
    raises=(NotFound,),
)
async def show_webhook(call: Call) -> Reply:
    """Show your endpoint and its state, without the secret.

    `dead` counts the notices that were given up; they are in the feed of notices all the same.
    """
    return json_reply(await call.runtime.notices.webhooks.show(call.caller.account_id))


@endpoint(
    "DELETE",
    "/v1/webhook",
    may=(Action.RECEIVE_NOTICES,),
    tag=NOTICES,
    answers=(Success(status=204, description="No endpoint is set"),),
)
async def delete_webhook(call: Call) -> Reply:
    """Delete your endpoint.

    Notices stay in the feed. Without an endpoint nothing happens.
    """
    await call.runtime.notices.webhooks.remove(call.caller.account_id)
    return NO_CONTENT


@endpoint(
    "POST",
    "/v1/webhook/retry",
    may=(Action.RECEIVE_NOTICES,),
    tag=NOTICES,
    answers=(Success(kinds=(Retried,), example={"notices": 3}),),
    raises=(NotFound,),
)
async def retry_webhook(call: Call) -> Reply:
    """Send at once every notice that waits or was given up.

    The answer gives the number of these notices.
    """
    notices = await call.runtime.notices.webhooks.retry(call.caller.account_id)
    return json_reply(Retried(notices=notices))


@endpoint(
    "GET",
    "/v1/webhooks",
    may=(Action.SEE_WEBHOOKS,),
    tag=NOTICES,
    answers=(
        Success(
            kinds=(AllWebhooks,),
            example={
                "webhooks": [
                    _WEBHOOK
                    | {
                        "account_id": "ab8f1a06-5f0a-4b56-9d3c-3f6e1c0f7a11",
                        "account": "湛江某酒店",
                    }
                ]
            },
        ),
    ),
)
async def list_webhooks(call: Call) -> Reply:
    """List the endpoints of all accounts, with the notices that wait or were given up.

    Each `url` is shown without its query, which may hold a secret.
    """
    return json_reply(AllWebhooks(webhooks=tuple(await call.runtime.notices.webhooks.show_all())))
