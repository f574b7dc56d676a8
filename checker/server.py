"""Runs the HTTP server: granian's workers on uvloop, each a node of its own, and one publisher.

The main process holds the embedded servers, if any, and hands their URLs to the others by the
environment. They end with it (`checker.parent`).
"""

import logging
import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Callable
from typing import Protocol

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels

from checker.api.metrics import MULTIPROCESS_VARIABLE
from checker.api.tracing import is_traced
from checker.config import (
    CONFIG_VARIABLE,
    DATA_DIR_VARIABLE,
    DATABASE_VARIABLE,
    LOG_FORMAT_VARIABLE,
    REDIS_VARIABLE,
    Config,
)
from checker.errors import ConfigurationError
from checker.logs import LogFormat, keep_log, log_settings
from checker.publishing import publishing_process

BACKLOG = 1024
STOP_TIMEOUT_S = 10

SERVED_S_MIN = 30.0
"""Whoever ends sooner than this after its start has not started well."""

_log = logging.getLogger(__name__)


def refuse_unusable(host: str, port: int) -> None:
    """Tell at once, and in a line, what would keep the workers from serving.

    Raises:
        ConfigurationError: the address cannot be listened on, or traces are wanted and cannot be.
    """
    is_traced(os.environ)
    refuse_taken(host, port)


def refuse_taken(host: str, port: int) -> None:
    """Tell at once, and in a line, that somebody else listens there.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        # As the server does: a port that was just given up may be taken again.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            text = f"cannot listen on {host}:{port}: {error.strerror}; --port takes another"
            raise ConfigurationError(text) from error


def serve(
    config: Config, *, host: str, port: int, workers: int, log_format: LogFormat = LogFormat.JSON
) -> None:
    """Serve until SIGINT or SIGTERM. `config` names both servers.

    `log_format` is for where nothing else is set.
    """
    assert config.database_url is not None
    assert config.redis_url is not None
    log_format = config.log.format or log_format
    with tempfile.TemporaryDirectory(prefix="checker-metrics-") as metrics_dir:
        os.environ |= {
            DATA_DIR_VARIABLE: str(config.data_dir),
            DATABASE_VARIABLE: config.database_url,
            REDIS_VARIABLE: config.redis_url,
            MULTIPROCESS_VARIABLE: metrics_dir,
            LOG_FORMAT_VARIABLE: log_format,
        }
        if config.config_file is not None:
            os.environ[CONFIG_VARIABLE] = str(config.config_file.absolute())
        # A fork would inherit this process's locks, threads and counters.
        multiprocessing.set_start_method("spawn", force=True)
        with publishing_process():
            keep_serving(lambda: _server(host, port, workers, log_format))


class Server(Protocol):
    """What granian's server is to `keep_serving`."""

    interrupt_signal: bool

    def serve(self) -> None:
        """Serve until a signal; SystemExit where workers died one after another."""
        ...


def keep_serving(
    make_server: Callable[[], Server], *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Serve until a signal, and start anew when granian gives up on workers that die.

    It gives up when a worker dies within seconds of having replaced another one, as two that are
    killed for their memory do. A server that has hardly served is not started again: then it is
    the start itself that fails, and SystemExit says so.
    """
    while True:
        began_at = clock()
        server = make_server()
        try:
            server.serve()
        except SystemExit:
            if server.interrupt_signal or clock() - began_at < SERVED_S_MIN:
                raise
        if server.interrupt_signal:
            return
        _log.error("workers died one after another: all of them start again")


def _server(host: str, port: int, workers: int, log_format: LogFormat) -> Server:
    server = Granian(
        "checker.api.app:worker_app",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        factory=True,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        log_level=LogLevels.warning,
        log_dictconfig=log_settings(log_format),
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_TIMEOUT_S,
    )
    keep_log(log_format)  # granian has just configured its own
    _log.info("checker: http://%s:%d, API at /docs", host, port)
    return server
