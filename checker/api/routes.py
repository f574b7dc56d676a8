"""The operations of the API, collected from the resource modules.

An address is declared in its resource module alone; a new module takes one line here.
"""

from types import ModuleType
from typing import Final

from litestar.handlers import HTTPRouteHandler

from checker.api import (
    account_keys,
    accounts,
    checks,
    corrections,
    decisions,
    feed,
    health,
    measures,
    metrics_page,
    notices,
    problem_kinds,
    quarantine,
    receipts,
    reconciliations,
    spending,
    webhooks,
)
from checker.api import list as list_
from checker.api.access import OPERATION
from checker.api.operation import Operation

RESOURCES: Final[tuple[ModuleType, ...]] = (
    checks,
    decisions,
    spending,
    corrections,
    reconciliations,
    notices,
    webhooks,
    feed,
    quarantine,
    list_,
    measures,
    accounts,
    account_keys,
    receipts,
    health,
    metrics_page,
    problem_kinds,
)
"""In the order of the OpenAPI document."""

HANDLERS: Final[tuple[HTTPRouteHandler, ...]] = tuple(
    found
    for module in RESOURCES
    for found in vars(module).values()
    if isinstance(found, HTTPRouteHandler)
)
OPERATIONS: Final[tuple[Operation, ...]] = tuple(each.opt[OPERATION] for each in HANDLERS)
