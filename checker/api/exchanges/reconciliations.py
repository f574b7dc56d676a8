"""The addresses of reconciliations."""

from checker.api.exchanges.checks import CHECK_EXAMPLE
from checker.api.exchanges.exchange import NDJSON, Exchange, Exchanges
from checker.api.reconciliations import (
    PAGE,
    PAGE_MAX,
    AdverseSale,
    ReconciliationsPage,
    ReconciliationView,
    RejectedSale,
)
from checker.reconciliation.past_sale import PastSale

_SALE = {
    "subject": CHECK_EXAMPLE["subject"],
    "service": CHECK_EXAMPLE["service"],
    "sold_at": "2026-11-23T01:02:03.456Z",
    "reference": "ORDER-1",
}
_AFTER = {"type": "integer", "minimum": 0, "default": 0}

EXCHANGES: Exchanges = {
    ("/v1/reconciliations", "post"): Exchange(
        summary="Which past sales the list of their time would have refused; as CSV too",
        body=PastSale,
        body_media_type=NDJSON,
        example=_SALE,
        created=ReconciliationView,
        accepted=ReconciliationView,
        problems=(400, 401, 403, 429, 503),
    ),
    ("/v1/reconciliations", "get"): Exchange(
        summary="The account's reconciliations, oldest first",
        answer=ReconciliationsPage,
        parameters={
            "after": _AFTER,
            "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE},
        },
        problems=(400, 401, 403, 503),
    ),
    ("/v1/reconciliations/{reconciliation_id}", "get"): Exchange(
        summary="How far a reconciliation came",
        answer=ReconciliationView,
        problems=(400, 401, 403, 404, 503),
    ),
    ("/v1/reconciliations/{reconciliation_id}/results", "get"): Exchange(
        summary="What was adverse, and what could not be judged, a line each",
        answer=AdverseSale,
        other_answer=RejectedSale,
        answer_media_type=NDJSON,
        parameters={"after": _AFTER},
        problems=(400, 401, 403, 404, 503),
    ),
}
