"""The HTTP application of one worker: routes, errors, and the node behind them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from checker.api.access import add_rate_limit
from checker.api.answering import ChecksResource
from checker.api.answering_batches import BatchesResource
from checker.api.bodies import Bodies
from checker.api.caller_address import TrustedProxies
from checker.api.check_counts import CheckCounts
from checker.api.docs_page import PAGES, assets_router, kept_pages
from checker.api.lane import Lane
from checker.api.metrics import Metrics, forget_dead_workers
from checker.api.metrics_page import METRICS, metrics_page
from checker.api.pages import Served
from checker.api.responses import handle_error
from checker.api.routes import HANDLERS
from checker.api.tracing import open_tracing
from checker.api.uploads import Uploads
from checker.checks.checks import Deciding
from checker.config import load_config
from checker.intake.sealed_spool import spool_folder
from checker.logs import LogFormat, ending_in_log, keep_log, log_end
from checker.node import memory
from checker.node.runtime import Runtime, open_node
from checker.node.upkeep import keep_current
from checker.work import working

if TYPE_CHECKING:
    from checker.api.spans import Tracing


OpenNode = Callable[[], AbstractAsyncContextManager[Runtime]]


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Pages for people beside the API: their routes, and the files that they load by address.

    `state_of` makes what the handlers of the pages find in `app.state`, by name.
    """

    handlers: Sequence[HTTPRouteHandler] = ()
    kept: Callable[[], Mapping[str, Served]] = dict
    state_of: Callable[[Runtime], Mapping[str, Any]] = lambda _runtime: {}


def create_app(
    open_node: OpenNode,
    *,
    publish: bool = False,
    tracing: "Tracing | None" = None,
    site: Site = Site(),  # noqa: B008 - frozen
) -> Lane:
    """Return the application, which opens the node at its start and closes the node at its end.

    `publish`: this process also publishes changes to the cache, because no other process does.
    `tracing` makes a span for each decision; wrap the application in it for a span of each request.
    `site` brings pages for people.
    """

    bodies = Bodies()

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with (
            ends_logged(),
            open_node() as runtime,
            nullcontext(Metrics(runtime.replica, runtime.pulse.takes_writes)) as metrics,
            keep_current(runtime, publish=publish, count_failure=metrics.work_failed),
            working(
                [metrics.work, runtime.watch.work(metrics.flagged), bodies.work],
                metrics.work_failed,
            ),
        ):
            app.state.runtime = runtime
            app.state.proxies = TrustedProxies(runtime.config.server.trusted_proxies)
            app.state.metrics = metrics
            app.state.pages = {
                **kept_pages(),
                **site.kept(),
                METRICS: metrics_page(runtime, app.state.metrics),
            }
            for name, value in site.state_of(runtime).items():
                setattr(app.state, name, value)
            app.state.uploads = Uploads(spool_folder(runtime.config.data_dir))
            checks = runtime.checks if tracing is None else tracing.around(runtime.checks)
            counts = CheckCounts(metrics, runtime.audit.tallies, runtime.watch)
            app.state.checks = _checks_resource(runtime, checks, counts, metrics, bodies)
            app.state.batches = _batches_resource(runtime, checks, counts, app.state.checks, bodies)
            memory.settle()
            yield

    app = Litestar(
        route_handlers=[*HANDLERS, *PAGES, *site.handlers, assets_router()],
        lifespan=[lifespan],
        exception_handlers={Exception: handle_error, HTTPException: handle_error},
        before_send=[add_rate_limit],
        openapi_config=None,
        # Each operation bounds its own body.
        request_max_body_size=None,
        logging_config=None,
    )
    return Lane(app, bodies)


def _checks_resource(
    runtime: Runtime, checks: Deciding, counts: CheckCounts, metrics: Metrics, bodies: Bodies
) -> ChecksResource:
    return ChecksResource(
        key_ring=runtime.key_ring,
        quotas=runtime.quotas,
        checks=checks,
        receipts=runtime.receipts,
        clock=runtime.clock,
        metrics=metrics,
        counts=counts,
        token_of=runtime.sealer.document_token,
        bodies=bodies,
        body_timeout_s=runtime.config.server.body_timeout_s,
    )


def _batches_resource(
    runtime: Runtime,
    checks: Deciding,
    counts: CheckCounts,
    answering: ChecksResource,
    bodies: Bodies,
) -> BatchesResource:
    return BatchesResource(
        answering=answering,
        quotas=runtime.quotas,
        checks=checks,
        receipts=runtime.receipts,
        clock=runtime.clock,
        counts=counts,
        sealer=runtime.sealer,
        bodies=bodies,
    )


@asynccontextmanager
async def ends_logged() -> AsyncIterator[None]:
    """Log why a worker cannot serve; the server would print the text of the error instead."""
    try:
        yield
    except Exception as error:
        log_end("the worker", error)
        raise


class WorkerApp(msgspec.Struct, frozen=True, kw_only=True):
    """The application of one worker. `app` is the lane, or a wrapper that traces it.

    `is_traced`: a span is made for each request that comes through `app`.
    """

    app: ASGIApp
    lane: Lane
    is_traced: bool


def worker_app(environ: Mapping[str, str], site: Site) -> WorkerApp:
    """Return the application of one worker, by the environment that the main process set."""
    forget_dead_workers()
    config = load_config(environ)
    keep_log(config.log.format or LogFormat.JSON)
    with ending_in_log("the worker"):
        tracing = open_tracing(environ)
        lane = create_app(lambda: open_node(config, environ), tracing=tracing, site=site)
    return WorkerApp(
        app=lane if tracing is None else tracing.wrap(lane),
        lane=lane,
        is_traced=tracing is not None,
    )
