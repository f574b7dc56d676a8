"""Runs the HTTP server: workers on uvloop, each a node of its own, and one publisher.

The main process holds the embedded servers, if any, and hands their URLs to the other processes by
the environment. It keeps the other processes alive (`checker.serving.supervision`), and they end
with it (`checker.node.parent`).

granian answers HTTP. granian's own supervision is not used: it stops all workers when one worker
dies twice in 5.5 seconds, as a worker may that cannot start while PostgreSQL is away.
"""

import logging
import multiprocessing
import os
import resource
import socket
import tempfile
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from checker.api.tracing import is_traced
from checker.config import (
    CONFIG_VARIABLE,
    DATA_DIR_VARIABLE,
    DATABASE_VARIABLE,
    LOG_FORMAT_VARIABLE,
    METRICS_FOLDER_VARIABLE,
    REDIS_VARIABLE,
    Config,
)
from checker.errors import ConfigurationError
from checker.logs import LogFormat, keep_log, log_settings
from checker.serving.forked import PUBLISHING_JOB
from checker.serving.supervision import Job, Supervisor

BACKLOG: Final = 4096
"""Connections that wait for a worker to accept them: a crowd that comes at once, and no more than
Linux grants unless it is set up otherwise (`net.core.somaxconn`).
"""

CONNECTIONS_MAX: Final = 8192
"""Connections that a worker holds. A worker that holds so many accepts no other, so silent callers
must not be able to reach this number easily: an idle connection costs some 20 kB, and is closed
after `IDLE_S`.
"""

FILES_MAX: Final = 65_536
"""Open files of a process, where the machine allows so many: seven times what a worker needs."""

FILES_KEPT: Final = 512
"""Open files of a worker that are no connections of callers: stores, logs, libraries."""

IDLE_S: Final = 30
"""How long a connection may take for its headers, or be idle between two requests."""

STOP_TIMEOUT_S: Final = 10

_log = logging.getLogger(__name__)


def refuse_unusable(host: str, port: int) -> None:
    """Refuse at once, with one line, a setting that would keep the workers from serving.

    Raises:
        ConfigurationError: the address cannot be listened on, or traces are wanted and cannot be.
    """
    is_traced(os.environ)
    refuse_taken(host, port)


def refuse_taken(host: str, port: int) -> None:
    """Refuse at once, with one line, an address on which another process listens.

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

    `log_format` counts where the configuration names no format.
    """
    assert config.database_url is not None
    assert config.redis_url is not None
    log_format = config.log.format or log_format
    with tempfile.TemporaryDirectory(prefix="checker-metrics-") as metrics_dir:
        os.environ |= {
            DATA_DIR_VARIABLE: str(config.data_dir),
            DATABASE_VARIABLE: config.database_url,
            REDIS_VARIABLE: config.redis_url,
            METRICS_FOLDER_VARIABLE: metrics_dir,
            LOG_FORMAT_VARIABLE: log_format,
        }
        if config.config_file is not None:
            os.environ[CONFIG_VARIABLE] = str(config.config_file.absolute())
        # A fork would inherit this process's locks, threads and counters.
        multiprocessing.set_start_method("spawn", force=True)
        connections = min(CONNECTIONS_MAX, raise_file_limit() - FILES_KEPT)
        server = _Server(host, port, workers, connections=connections, log_format=log_format)
        keep_log(log_format)  # granian has just configured its own
        _log.info("checker: http://%s:%d, API at /docs", host, port)
        server.serve()


def raise_file_limit() -> int:
    """Let this process, and those that it starts, open as many files as the machine allows.

    Returns the limit, which is at most `FILES_MAX` unless it was higher before.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = FILES_MAX if hard == unlimited else min(FILES_MAX, hard)
    if soft == unlimited:
        return FILES_MAX
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


class _Server(MPServer):
    """granian's HTTP workers, and the publishing process, under our supervisor."""

    def __init__(
        self, host: str, port: int, workers: int, *, connections: int, log_format: LogFormat
    ) -> None:
        super().__init__(
            "checker.api.app:worker_app",
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            workers=workers,
            factory=True,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=IDLE_S * 1000),
            websockets=False,
            backlog=BACKLOG,
            backpressure=connections,
            log_level=LogLevels.warning,
            log_dictconfig=log_settings(log_format),
            log_access=False,
        )
        self._supervisor: Supervisor | None = None

    def signal_handler_interrupt(self, *_args: Any) -> None:
        """End in order."""
        self.interrupt_signal = True
        if self._supervisor is not None:
            self._supervisor.end()

    def signal_handler_reload(self, *_args: Any) -> None:
        """Do nothing: a terminal that is closed is no reason to drop connections."""

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        """Name the processes; the supervisor starts them."""

        def job_of(place: int) -> Job:
            # The process inside granian's worker: a worker that is started watches it itself.
            return Job(
                name=f"worker {place + 1}",
                make=lambda: self._spawn_worker(place, spawn_target, target_loader).inner,
            )

        jobs = [PUBLISHING_JOB, *(job_of(place) for place in range(self.workers))]
        self._supervisor = Supervisor(jobs, stop_timeout_s=STOP_TIMEOUT_S)
        if self.interrupt_signal:
            self._supervisor.end()

    def _serve_loop(self, _spawn_target: Any, _target_loader: Any) -> None:
        assert self._supervisor is not None
        self._supervisor.run()

    def _stop_workers(self) -> None:
        assert self._supervisor is not None
        self._supervisor.stop()
