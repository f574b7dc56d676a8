"""Imports what a worker and the publishing process need, in the process from which they are forked.

`multiprocessing` imports this module there, first of all (`checker.serving.forked`).

The objects of the imports live as long as the process. A garbage collection would visit them again
and again, and in a fork the visit would copy the memory that forks share. So the collector is off
during the imports, and exempts their objects for good.
"""

import gc
import os
import signal
from importlib import import_module
from typing import Final

IMPORT_PROCESS_VARIABLE: Final = "_CHECKER_IMPORT_PROCESS"
"""Set in the environment of the import process alone: elsewhere this module does nothing."""

_MODULES: Final = ("checker.serving.worker", "checker.serving.publishing_process")


def _import_all() -> None:
    # A signal to the whole group ends the main process, which ends the forks in order.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()
    for module in _MODULES:
        import_module(module)
    gc.freeze()
    gc.enable()


if os.environ.pop(IMPORT_PROCESS_VARIABLE, ""):
    _import_all()
