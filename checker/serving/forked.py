"""Starts the processes of a server as forks of one process that has imported everything.

    main process ──> import process: imports the worker's modules once, in 0.8 s, then waits
                          ├──fork──> worker, worker, …        each starts 0.8 s sooner,
                          └──fork──> publishing process       and shares the memory of the modules

The main process imports none of these modules. It starts the import process first, and reads its
settings and starts embedded servers meanwhile. A worker that is started again is there at once.

The import process is `multiprocessing`'s fork server (`checker.serving.preloaded` is what it
imports). It has no thread, connection or lock that a fork could break. A fork gets the environment
that the main process has at that moment.

If the import process dies, every process that it forked ends too (`checker.node.parent`), and the
supervisor starts all of them again, with a new import process. It ignores the signals that end a
server, because it must outlive the processes that end in order.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from typing import Any, Final

from checker.config import METRICS_FOLDER_VARIABLE
from checker.node.parent import end_with_parent
from checker.serving import preloaded
from checker.serving.supervision import Job

_forking = multiprocessing.get_context("forkserver")


def begin_imports() -> None:
    """Start the import process, unless it lives; returns at once, long before it has imported."""
    _forking.set_forkserver_preload([preloaded.__name__])
    with _in_environment(
        {
            preloaded.IMPORT_PROCESS_VARIABLE: "1",
            # `multiprocessing` starts it by `python -c`, which would import from the current
            # folder before all others.
            "PYTHONSAFEPATH": "1",
            # prometheus_client looks at its import whether processes share their counts. Each fork
            # has the name of the folder in its own environment.
            METRICS_FOLDER_VARIABLE: os.devnull,
        }
    ):
        forkserver.ensure_running()


def forked(target: str, *arguments: Any, name: str) -> BaseProcess:
    """Return a process that is not started: it calls `target`, named as `module:function`."""
    begin_imports()
    return _forking.Process(target=_run, args=(dict(os.environ), target, arguments), name=name)


def call_forked(target: str, *arguments: Any) -> Any:
    """Return what `target` returns when a process of its own calls it; its errors are raised."""
    begin_imports()
    with ProcessPoolExecutor(1, mp_context=_forking) as pool:
        return pool.submit(_call_in_child, dict(os.environ), target, arguments).result()


@contextmanager
def _in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


def _run(environ: Mapping[str, str], target: str, arguments: tuple[Any, ...]) -> None:
    """Run a process from its fork on; `target` sets its own signal handlers."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _call(environ, target, arguments)


def _call_in_child(environ: Mapping[str, str], target: str, arguments: tuple[Any, ...]) -> Any:
    # A main process that is killed meanwhile must leave nothing behind.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    return _call(environ, target, arguments)


def _call(environ: Mapping[str, str], target: str, arguments: tuple[Any, ...]) -> Any:
    os.environ.clear()
    os.environ.update(environ)
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function(*arguments)


PUBLISHING_JOB: Final = Job(
    name="publishing process",
    make=lambda _ready: forked(
        "checker.serving.publishing_process:run_publishing_process", name="checker publisher"
    ),
    # Feeds that still run in workers wait for it.
    ends_last=True,
)
"""The publishing process as the server's supervisor starts it; the environment has its settings."""
