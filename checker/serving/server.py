"""Runs the HTTP server: workers on uvloop, each a node of its own, and one publisher.

The main process reserves the port, and holds the embedded servers, if any; it hands their URLs
to the other processes by the environment. It keeps the other processes alive
(`checker.serving.supervision`), and they end with it (`checker.node.parent`).

SIGINT and SIGTERM end the server in order. SIGHUP replaces its processes one after the other, so
that new settings come into force while the port stays open.
"""

import logging
import os
import resource
import signal
import tempfile
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

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
from checker.domain.clock import Clock, SystemClock
from checker.errors import ConfigurationError
from checker.logs import LogFormat, keep_log
from checker.serving.certificate import read_term
from checker.serving.connections import ConnectionLimits
from checker.serving.forked import PUBLISHING_JOB, forked
from checker.serving.listening import TlsFiles, open_tls, reserve
from checker.serving.supervision import Job, Supervisor
from checker.serving.worker_task import WorkerTask

FILES_MAX: Final = 65_536
"""Open files of a process, where the machine allows so many: seven times what a worker needs."""

FILES_KEPT: Final = 512
"""Open files of a worker that are no connections of callers: stores, logs, libraries."""

STOP_TIMEOUT_S: Final = 10

_log = logging.getLogger(__name__)


def refuse_unusable(host: str, port: int, tls: TlsFiles | None = None) -> None:
    """Refuse at once, with one line, a setting that would keep the workers from serving.

    Raises:
        ConfigurationError: the address cannot be listened on, traces are wanted and cannot be, or
            a file of TLS cannot be used.
    """
    is_traced(os.environ)
    if tls is not None:
        open_tls(tls)
    reserve(host, port).close()


def serve(
    config: Config,
    *,
    host: str,
    port: int,
    workers: int,
    tls: TlsFiles | None = None,
    log_format: LogFormat = LogFormat.JSON,
) -> None:
    """Serve until SIGINT or SIGTERM. `config` names both servers.

    `log_format` counts where the configuration names no format.
    """
    assert config.database_url is not None
    assert config.redis_url is not None
    log_format = config.log.format or log_format
    with (
        tempfile.TemporaryDirectory(prefix="checker-metrics-") as metrics_dir,
        closing(reserve(host, port)),
    ):
        os.environ |= {
            DATA_DIR_VARIABLE: str(config.data_dir),
            DATABASE_VARIABLE: config.database_url,
            REDIS_VARIABLE: config.redis_url,
            METRICS_FOLDER_VARIABLE: metrics_dir,
            LOG_FORMAT_VARIABLE: log_format,
        }
        if config.config_file is not None:
            os.environ[CONFIG_VARIABLE] = str(config.config_file.absolute())
        keep_log(log_format)
        limits = ConnectionLimits(
            connections_max=min(config.server.connections_max, raise_file_limit() - FILES_KEPT),
            header_timeout_s=config.server.header_timeout_s,
            idle_timeout_s=config.server.idle_timeout_s,
        )
        jobs = [PUBLISHING_JOB, *_worker_jobs(host, port, workers, limits, tls)]
        supervisor = Supervisor(jobs, stop_timeout_s=STOP_TIMEOUT_S)
        _log_term(tls)
        _heed_signals(supervisor, tls)
        _log.info(
            "checker: %s://%s:%d, API at /docs", "https" if tls else "http", _shown(host), port
        )
        supervisor.run()
        supervisor.stop()


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _worker_jobs(
    host: str, port: int, workers: int, limits: ConnectionLimits, tls: TlsFiles | None
) -> list[Job]:
    def job_at(place: int) -> Job:
        def make(ready: Connection) -> BaseProcess:
            task = WorkerTask(host=host, port=port, limits=limits, tls=tls, ready=ready)
            name = f"checker worker {place}"
            return forked("checker.serving.worker:run_worker", task, name=name)

        return Job(name=f"worker {place}", make=make, announces=True)

    return [job_at(place) for place in range(1, workers + 1)]


def _log_term(tls: TlsFiles | None, clock: Clock = SystemClock()) -> None:  # noqa: B008 - frozen
    """Log a certificate that callers refuse, or refuse soon."""
    if tls is None:
        return
    try:
        warning = read_term(tls.certificate).warning(clock.now())
    except ConfigurationError as error:
        # At a renewal: no new worker can start, so the old ones go on with the old files.
        warning = str(error)
    if warning is not None:
        _log.warning("the certificate of the server: %s", warning)


def _heed_signals(supervisor: Supervisor, tls: TlsFiles | None) -> None:
    def end(*_: Any) -> None:
        supervisor.end()

    def renew(*_: Any) -> None:
        _log_term(tls)
        supervisor.renew()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, renew)


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
