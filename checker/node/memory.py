"""What a worker does about its memory, besides using it.

A full collection of Python's garbage visits every object that the collector tracks. The modules of
a worker make half a million of such objects, and a visit takes 0.15 s, in which nobody is answered.
A batch of 10 000 persons makes enough objects to call for a full collection. So a worker that has
started exempts what it then has (`settle`); a full collection visits what came later.

glibc keeps freed memory for the next allocation. After a burst of large batches a worker would
keep that memory for good. `malloc_trim` gives it back; other C libraries have no such function, and
there nothing is done.
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
