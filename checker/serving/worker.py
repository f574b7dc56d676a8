"""One worker of a server: the application on uvloop, behind the HTTP of uvicorn.

    starts the application ──> accepts ──> SIGTERM: accepts no more, each connection ends with its
                                           next answer ──> `LAST_S`: closes those that wait
                                           ──> ends the application once all are answered

uvicorn's own server is not used: it closes a connection that waits for its caller in the same
instant as it stops, and it has no bound on the handshake of TLS.
"""

import asyncio
import logging
import os
import signal
import ssl
import sys
from contextlib import suppress
from email.utils import formatdate
from functools import partial
from typing import Any, Final

import uvicorn
import uvloop
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from checker.api.app import WorkerApp, worker_app
from checker.node.parent import end_with_parent
from checker.serving.connections import Connections
from checker.serving.lane_protocol import LaneProtocol
from checker.serving.listening import BACKLOG, listen, open_tls
from checker.serving.worker_task import WorkerTask
from checker.web.routes import SITE
from checker.work import Work, working

LAST_S: Final = 0.5
"""How long a connection that waits stays open at the end, for a request that is on its way."""

ANSWERS_S: Final = 8.0
"""How long requests may take to be answered at the end, before the supervisor kills the worker."""

_DATE_S: Final = 1.0
_NOT_STARTED: Final = 3
_RUNS_NO_MORE: Final = 0

_log = logging.getLogger(__name__)


def run_worker(task: WorkerTask) -> None:
    """Answer until SIGTERM: the whole life of the process."""
    end_with_parent()
    # Ctrl-C reaches the whole group; the main process ends this process in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = worker_app(os.environ, SITE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_run(task, worker))
    sys.exit(code)


async def _run(task: WorkerTask, worker: WorkerApp) -> int:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    config = uvicorn.Config(
        worker.app,
        access_log=False,
        interface="asgi3",
        log_config=None,
        # The application reads forwarded addresses itself, from proxies that are named.
        proxy_headers=False,
        timeout_keep_alive=round(task.limits.idle_timeout_s),
        ws="none",
    )
    config.load()
    # uvicorn logs errors with their texts, which may quote a request; the application logs its own.
    logging.getLogger("uvicorn").disabled = logging.getLogger("uvicorn.error").disabled = True
    lifespan = LifespanOn(config)
    await lifespan.startup()
    if lifespan.should_exit:
        return _NOT_STARTED
    connections = Connections(task.limits)
    state = ServerState()
    _set_date(state)
    make_protocol: partial[LaneProtocol] = partial(
        LaneProtocol,
        config,
        state,
        lifespan.state,
        connections=connections,
        checks=worker.lane.checks,
        proxies=worker.lane.proxies,
        at_once=not worker.is_traced,
    )
    tls = None if task.tls is None else open_tls(task.tls)
    async with working([connections.work, _dating(state)]):
        server = await _accept(task, make_protocol, tls)
        with suppress(OSError):  # the main process has gone
            task.ready.send_bytes(b"ready")
        await ended.wait()
        await _end(server, connections, state)
    await lifespan.shutdown()
    return _RUNS_NO_MORE


async def _accept(
    task: WorkerTask, make_protocol: Any, tls: ssl.SSLContext | None
) -> asyncio.Server:
    bound: dict[str, Any] = {}
    if tls is not None:
        bound = {"ssl_handshake_timeout": task.limits.header_timeout_s}
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        make_protocol, sock=listen(task.host, task.port), ssl=tls, backlog=BACKLOG, **bound
    )


async def _end(server: asyncio.Server, connections: Connections, state: ServerState) -> None:
    """Let all requests be answered that have arrived, also those whose connection waits."""
    # Connections that wait in the queue of the socket are accepted before the socket is closed.
    await asyncio.sleep(0)
    server.close()
    connections.begin_ending()
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_S):
            await connections.all_closed.wait()
    connections.end()
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWERS_S):
            await connections.all_closed.wait()
            # The callers of these have gone; their orders are finished all the same.
            await asyncio.gather(*state.tasks, return_exceptions=True)


def _dating(state: ServerState) -> Work:
    """Return the work of writing the `Date` of answers, which has seconds."""

    async def date() -> None:
        _set_date(state)

    return Work(name="dating answers", every_s=_DATE_S, do=date)


def _set_date(state: ServerState) -> None:
    state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
