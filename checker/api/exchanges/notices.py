"""The addresses of notices and of the endpoints that they are sent to."""

from checker.api.exchanges.exchange import Exchange, Exchanges
from checker.api.notices import PAGE_NOTICES, PAGE_NOTICES_MAX, NoticePage
from checker.api.webhooks import AllWebhooks, PutWebhook, Retried, Secret
from checker.notices.webhooks import WebhookView

EXCHANGES: Exchanges = {
    ("/v1/notices", "get"): Exchange(
        summary="Which restrictions that you were told of are lifted",
        answer=NoticePage,
        parameters={
            "after": {"type": "string", "description": "`next` of an earlier answer"},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": PAGE_NOTICES_MAX,
                "default": PAGE_NOTICES,
            },
        },
        problems=(400, 401, 403, 503),
    ),
    ("/v1/webhook", "put"): Exchange(
        summary="Have notices sent to an endpoint",
        body=PutWebhook,
        example={"url": "https://hotel.example/notices"},
        answer=Secret,
        problems=(400, 401, 403, 413, 503),
    ),
    ("/v1/webhook", "get"): Exchange(
        summary="Your endpoint, and how it does",
        answer=WebhookView,
        problems=(400, 401, 403, 404, 503),
    ),
    ("/v1/webhook", "delete"): Exchange(
        summary="Send no more notices; they stay in the feed",
        answer=None,
        problems=(400, 401, 403, 503),
    ),
    ("/v1/webhook/retry", "post"): Exchange(
        summary="Send at once whatever waits or was given up",
        answer=Retried,
        problems=(400, 401, 403, 404, 503),
    ),
    ("/v1/webhooks", "get"): Exchange(
        summary="All endpoints, what waits for them and what was given up",
        answer=AllWebhooks,
        problems=(400, 401, 403, 503),
    ),
}
