"""The addresses of notices and of the endpoints that they are sent to."""

from checker.api.exchanges.exchange import Exchange, Exchanges
from checker.api.notices import PAGE_NOTICES, PAGE_NOTICES_MAX, NoticePage

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
}
