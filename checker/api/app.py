"""The HTTP application of one worker: routes, errors, and the node that stands behind them."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar
from litestar.exceptions import HTTPException

from checker.api.access import tell_allowance
from checker.api.checks import ChecksResource
from checker.api.lane import Lane
from checker.api.metrics import Metrics, forget_dead_workers
from checker.api.responses import handle_error
from checker.api.routes import ROUTES
from checker.config import load_config
from checker.parent import end_with_parent
from checker.runtime import Runtime, open_runtime
from checker.upkeep import keep_current

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


OpenNode = Callable[[], AbstractAsyncContextManager[Runtime]]


def create_app(open_node: OpenNode, *, publish: bool = False) -> Lane:
    """Make the application; the node is opened at its start and closed at its end.

    `publish`: bring changes to the cache too, where no process of its own does.
    """

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_node() as runtime, keep_current(runtime, publish=publish):
            app.state.runtime = runtime
            app.state.metrics = Metrics(runtime.follower)
            app.state.checks = ChecksResource(
                key_ring=runtime.key_ring,
                quotas=runtime.quotas,
                checks=runtime.checks,
                receipts=runtime.receipts,
                clock=runtime.clock,
                metrics=app.state.metrics,
                tallies=runtime.audit.tallies,
                watch=runtime.watch,
                token_of=runtime.sealer.document_token,
            )
            counting = asyncio.create_task(app.state.metrics.run(), name="metrics")
            watching = asyncio.create_task(
                runtime.watch.run(app.state.metrics.flagged), name="watch"
            )
            try:
                yield
            finally:
                counting.cancel()
                watching.cancel()

    app = Litestar(
        route_handlers=ROUTES,
        lifespan=[lifespan],
        exception_handlers={Exception: handle_error, HTTPException: handle_error},
        before_send=[tell_allowance],
        openapi_config=None,
        # Feeds have no bound on their body, only on their lines; checks bound theirs themselves.
        request_max_body_size=None,
        logging_config=None,
    )
    return Lane(app)


def worker_app() -> Lane:
    """Make the application of a server's worker, set by the environment its main process gave."""
    end_with_parent()
    forget_dead_workers()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return create_app(lambda: open_runtime(load_config(os.environ), os.environ))
