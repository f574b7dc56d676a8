"""Keeps the memory of a worker small, and its garbage collections short.

A full collection of Python's garbage visits every object that the collector tracks. The modules of
a worker make half a million of such objects, and a visit takes 0.15 s, in which nobody is answered.
A batch of 10 000 persons makes enough objects to call for a full collection. So a worker that has
started exempts the objects of its start (`settle`). A full collection visits later objects only.

glibc keeps freed memory for the next allocation. After a burst of large batches a worker would
keep that memory for good. `malloc_trim` gives the memory back. Other C libraries have no such
function, and there `release_memory` only collects garbage.
"""

import ctypes
import gc
from collections.abc import Callable
from typing import Any


def _find_trim() -> Callable[[int], Any] | None:
    try:
        trim: Callable[[int], Any] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return trim


_trim = _find_trim()


def settle() -> None:
    """Exempt all objects that live now from later collections; call it when the start is done."""
    gc.collect()
    gc.freeze()


def release_memory() -> None:
    """Give freed memory back; takes some milliseconds, so a thread should call it."""
    gc.collect()
    if _trim is not None:
        _trim(0)
