"""`/metrics`: the counts of all workers of this server, gathered once for all who ask at a time."""

import asyncio
from contextlib import suppress

from prometheus_client import CONTENT_TYPE_LATEST

from checker.api.call import Call
from checker.api.endpoint import endpoint
from checker.api.exchange import Reply
from checker.api.health import SERVICE
from checker.api.metrics import Metrics
from checker.api.nodes import nodes_of
from checker.api.operation import KeyUse, Success
from checker.api.pages import GatheredPage, RenderedPage, Served
from checker.errors import Unavailable
from checker.node.runtime import Runtime

METRICS = "/metrics"


def metrics_page(runtime: Runtime, metrics: Metrics) -> Served:
    """Return the page of one worker."""
    return GatheredPage(lambda: gather_metrics(runtime, metrics))


async def gather_metrics(runtime: Runtime, metrics: Metrics) -> RenderedPage:
    """Return the counts of all workers; figures that an outage hides stay as they were."""
    with suppress(Unavailable):
        metrics.listed(await nodes_of(runtime))
        metrics.waiting(await runtime.corrections.count())
        metrics.undelivered(await runtime.notices.webhooks.count_waiting())
    metrics.flush()
    return await asyncio.to_thread(lambda: _exposed(metrics))


def _exposed(metrics: Metrics) -> RenderedPage:
    return RenderedPage.of(metrics.exposition(), CONTENT_TYPE_LATEST, keeps=False)


@endpoint(
    "GET",
    METRICS,
    key=KeyUse.NONE,
    tag=SERVICE,
    answers=(
        Success(
            kinds=(str,),
            example='checker_checks_total{decision="allow",service="rail"} 5120.0\n',
            media_type="text/plain",
        ),
    ),
)
async def show_metrics(call: Call) -> Reply:
    """Show the counts of all workers of this server, in the text format of Prometheus.

    No label can name a person.
    """
    served: Served = call.request.app.state.pages[METRICS]
    return (await served.page()).reply(call.request.headers)
