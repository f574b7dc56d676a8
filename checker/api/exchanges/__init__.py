"""Every address of the API: what goes in and what comes out, as the OpenAPI document tells it.

A file for each resource. A test holds the table against the routes, another against who may call
what.
"""

from checker.api.exchanges import checks, decisions, feed, notices, spending, upkeep
from checker.api.exchanges.exchange import Exchanges

EXCHANGES: Exchanges = {
    **checks.EXCHANGES,
    **decisions.EXCHANGES,
    **spending.EXCHANGES,
    **feed.EXCHANGES,
    **notices.EXCHANGES,
    **upkeep.EXCHANGES,
}
