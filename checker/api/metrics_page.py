"""`/metrics`: the counts of all workers of this server, gathered for all who wait for the page."""

import asyncio
from contextlib import suppress
from typing import Any

from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from checker.api.metrics import Metrics
from checker.api.nodes import nodes_of
from checker.api.pages import GatheredPage, Page, Served
from checker.api.responses import respond
from checker.errors import Unavailable
from checker.node.runtime import Runtime

METRICS = "/metrics"


def metrics_page(runtime: Runtime, metrics: Metrics) -> Served:
    """Return the page of one worker."""
    return GatheredPage(lambda: gather_metrics(runtime, metrics))


async def gather_metrics(runtime: Runtime, metrics: Metrics) -> Page:
    """Gather the counts of all workers of this server; what an outage hides stays as it was."""
    with suppress(Unavailable):
        metrics.listed(await nodes_of(runtime))
        metrics.waiting(await runtime.corrections.count())
        metrics.undelivered(await runtime.notices.webhooks.count_waiting())
    metrics.flush()
    return await asyncio.to_thread(lambda: _exposed(metrics))


def _exposed(metrics: Metrics) -> Page:
    return Page.of(metrics.exposition(), CONTENT_TYPE_LATEST, keeps=False)


@get(METRICS)
async def show_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Show the counts of all workers of this server."""
    served: Served = request.app.state.pages[METRICS]
    return respond((await served.page()).reply(request.headers))
