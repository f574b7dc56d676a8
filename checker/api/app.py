"""The HTTP application of one worker: routes, errors, and the node that stands behind them."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from checker.api.access import tell_allowance
from checker.api.bodies import Bodies
from checker.api.checks import ChecksResource
from checker.api.lane import Lane
from checker.api.metrics import Metrics, forget_dead_workers
from checker.api.metrics_page import METRICS, metrics_page
from checker.api.openapi import kept_pages
from checker.api.responses import handle_error
from checker.api.routes import ROUTES
from checker.api.tracing import open_tracing
from checker.api.uploads import Uploads
from checker.config import load_config
from checker.intake.sealed_spool import spool_folder
from checker.logs import LogFormat, ending_in_log, keep_log, log_end
from checker.node import memory
from checker.node.parent import end_with_parent
from checker.node.runtime import Runtime, open_node
from checker.node.upkeep import keep_current
from checker.work import working

if TYPE_CHECKING:
    from checker.api.spans import Tracing


OpenNode = Callable[[], AbstractAsyncContextManager[Runtime]]


def create_app(
    open_node: OpenNode, *, publish: bool = False, tracing: "Tracing | None" = None
) -> Lane:
    """Make the application; the node is opened at its start and closed at its end.

    `publish`: bring changes to the cache too, where no process of its own does. `tracing` sees what
    is decided; the requests it sees once the application is wrapped in it.
    """

    bodies = Bodies()

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with (
            ends_logged(),
            open_node() as runtime,
            nullcontext(Metrics(runtime.follower)) as metrics,
            keep_current(runtime, publish=publish, count_failure=metrics.work_failed),
            working(
                [metrics.work, runtime.watch.work(metrics.flagged), bodies.work],
                metrics.work_failed,
            ),
        ):
            app.state.runtime = runtime
            app.state.metrics = metrics
            app.state.pages = kept_pages() | {METRICS: metrics_page(runtime, app.state.metrics)}
            app.state.uploads = Uploads(spool_folder(runtime.config.data_dir))
            app.state.checks = ChecksResource(
                key_ring=runtime.key_ring,
                quotas=runtime.quotas,
                checks=runtime.checks if tracing is None else tracing.around(runtime.checks),
                receipts=runtime.receipts,
                clock=runtime.clock,
                metrics=app.state.metrics,
                tallies=runtime.audit.tallies,
                watch=runtime.watch,
                tokens_of=runtime.sealer.tokens_of,
                bodies=bodies,
            )
            memory.settle()
            yield

    app = Litestar(
        route_handlers=ROUTES,
        lifespan=[lifespan],
        exception_handlers={Exception: handle_error, HTTPException: handle_error},
        before_send=[tell_allowance],
        openapi_config=None,
        # Feeds bound their bodies in `uploads`; checks and others bound theirs themselves.
        request_max_body_size=None,
        logging_config=None,
    )
    return Lane(app, bodies)


@asynccontextmanager
async def ends_logged() -> AsyncIterator[None]:
    """Tell why a worker cannot serve: who runs it would be shown the text of any error."""
    try:
        yield
    except Exception as error:
        log_end("the worker", error)
        raise


def worker_app() -> ASGIApp:
    """Make the application of a server's worker, set by the environment its main process gave."""
    end_with_parent()
    forget_dead_workers()
    config = load_config(os.environ)
    keep_log(config.log.format or LogFormat.JSON)
    with ending_in_log("the worker"):
        tracing = open_tracing(os.environ)
        lane = create_app(lambda: open_node(config, os.environ), tracing=tracing)
    return lane if tracing is None else tracing.wrap(lane)
