"""The HTTP application of one worker: routes, errors, and the node that stands behind them."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar
from litestar.exceptions import HTTPException

from checker.api.access import tell_allowance
from checker.api.account_keys import (
    create_account_key,
    list_account_keys,
    revoke_account_key,
    rotate_account_key,
)
from checker.api.accounts import (
    change_account,
    clear_flag,
    create_account,
    list_accounts,
    show_account,
)
from checker.api.checks import ChecksResource, create_batch, create_check
from checker.api.feed import post_changes, put_snapshot
from checker.api.health import explain_problem, healthz, readyz
from checker.api.lane import Lane
from checker.api.list import show_list
from checker.api.measures import list_measures
from checker.api.metrics import Metrics, forget_dead_workers, show_metrics
from checker.api.openapi import assets_router, show_document, show_page
from checker.api.quarantine import list_quarantine, retry_quarantined, show_quarantined
from checker.api.responses import handle_error
from checker.api.spending import (
    authorize_spending,
    capture_authorization,
    increment_authorization,
    refund_authorization,
    show_authorization,
    void_authorization,
)
from checker.config import load_config
from checker.parent import end_with_parent
from checker.runtime import Runtime, open_runtime
from checker.upkeep import keep_current

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

HANDLERS = (
    create_check,
    create_batch,
    authorize_spending,
    increment_authorization,
    capture_authorization,
    void_authorization,
    refund_authorization,
    show_authorization,
    put_snapshot,
    post_changes,
    list_quarantine,
    retry_quarantined,
    show_quarantined,
    list_measures,
    show_list,
    create_account,
    list_accounts,
    show_account,
    change_account,
    clear_flag,
    create_account_key,
    list_account_keys,
    rotate_account_key,
    revoke_account_key,
    healthz,
    readyz,
    show_metrics,
    explain_problem,
    show_document,
    show_page,
)

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
                clock=runtime.clock,
                metrics=app.state.metrics,
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
        route_handlers=[*HANDLERS, assets_router()],
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
