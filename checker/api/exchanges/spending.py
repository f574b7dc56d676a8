"""The addresses of spending under a cap."""

from checker.api.exchanges.checks import CHECK_EXAMPLE
from checker.api.exchanges.exchange import Exchange, Exchanges
from checker.api.spending import Authorize, Capture, Increment, Refund, Void
from checker.spending.answers import AuthorizationView, Uncapped

_SALE = {
    "subject": CHECK_EXAMPLE["subject"],
    "service": {"type": "resort", "venue": "rated_resort", "amount_fen": 50_000},
    "reference": "STAY-1",
    "hold_seconds": 86_400,
}
_AUTHORIZATION = "/v1/spending/authorizations/{authorization_id}"
_MOVE_PROBLEMS = (400, 401, 403, 404, 409, 413, 422, 503)

EXCHANGES: Exchanges = {
    ("/v1/spending/authorizations", "post"): Exchange(
        summary="Hold an amount of a capped subject's room",
        body=Authorize,
        example=_SALE,
        created=AuthorizationView,
        answer=Uncapped,
        problems=(400, 401, 403, 409, 413, 422, 429, 503),
        idempotent=True,
    ),
    (_AUTHORIZATION, "get"): Exchange(
        summary="How an authorization stands",
        answer=AuthorizationView,
        problems=(400, 401, 403, 404, 503),
    ),
    (f"{_AUTHORIZATION}/increment", "post"): Exchange(
        summary="Hold more, because a stay grows",
        body=Increment,
        answer=AuthorizationView,
        other_answer=Uncapped,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
    (f"{_AUTHORIZATION}/capture", "post"): Exchange(
        summary="Use a hold, once; the rest is released",
        body=Capture,
        answer=AuthorizationView,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
    (f"{_AUTHORIZATION}/void", "post"): Exchange(
        summary="Drop a hold",
        body=Void,
        needs_body=False,
        answer=AuthorizationView,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
    (f"{_AUTHORIZATION}/refund", "post"): Exchange(
        summary="Give back of what was captured",
        body=Refund,
        answer=AuthorizationView,
        problems=_MOVE_PROBLEMS,
        idempotent=True,
    ),
}
