"""Lets a worker end with the processes that started it, even by `kill -9`.

These are the main process and, where the worker is a fork, the import process that it was forked
from (`checker.serving.forked`). A worker that was left behind would keep answering on the port of
the next start.
"""

import multiprocessing
import os
import select
import signal
import threading
from collections.abc import Sequence

_POLL_S = 1.0


def end_with_parent() -> None:
    """Let this worker die as soon as one of its parents is gone, even by `kill -9`.

    Nothing is lost: every acknowledged change is durable in PostgreSQL.
    """
    main = multiprocessing.parent_process()
    parents = [os.getppid(), *([main.pid] if main is not None and main.pid is not None else [])]
    threading.Thread(target=_outlive, args=(parents,), name="parent watch", daemon=True).start()


def _outlive(parents: Sequence[int]) -> None:
    try:
        _wait_for_one(parents)
    except ProcessLookupError:
        pass  # gone before the watch began
    except (AttributeError, OSError):
        # This system names no process by a descriptor.
        while all(map(_lives, parents)):
            threading.Event().wait(_POLL_S)
    os.kill(os.getpid(), signal.SIGKILL)


def _wait_for_one(parents: Sequence[int]) -> None:
    waiting = select.poll()
    for parent in parents:
        waiting.register(os.pidfd_open(parent), select.POLLIN)
    waiting.poll()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
