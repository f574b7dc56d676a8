"""Every address of the API: what goes in and what comes out, as the OpenAPI document tells it.

A file for each resource. A test holds the table against the routes, another against who may call
what.
"""

from checker.api.exchanges import (
    accounts,
    checks,
    corrections,
    decisions,
    feed,
    notices,
    receipts,
    reconciliations,
    spending,
    upkeep,
)
from checker.api.exchanges.exchange import Exchanges

EXCHANGES: Exchanges = {
    **checks.EXCHANGES,
    **decisions.EXCHANGES,
    **receipts.EXCHANGES,
    **spending.EXCHANGES,
    **feed.EXCHANGES,
    **corrections.EXCHANGES,
    **reconciliations.EXCHANGES,
    **accounts.EXCHANGES,
    **notices.EXCHANGES,
    **upkeep.EXCHANGES,
}
