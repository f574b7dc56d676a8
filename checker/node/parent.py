"""Lets a worker end with the process that started it, even by `kill -9`.

A worker that was left behind would keep answering on the port of the next start.
"""

import os
import select
import signal
import threading

_POLL_S = 1.0


def end_with_parent() -> None:
    """Let this worker die as soon as the main process is gone, even by `kill -9`.

    Nothing is lost: every acknowledged change is durable in PostgreSQL.
    """
    parent = os.getppid()
    threading.Thread(target=_outlive, args=(parent,), name="parent watch", daemon=True).start()


def _outlive(parent: int) -> None:
    try:
        descriptor = os.pidfd_open(parent)
    except (AttributeError, OSError):
        while os.getppid() == parent:
            threading.Event().wait(_POLL_S)
    else:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        waiting.poll()
    os.kill(os.getpid(), signal.SIGKILL)
