"""Tells a fault when it begins, changes and ends, not each time it is met again.

A fault is told by its class alone, or with its place: its text may quote what was asked.
"""

import logging


class FaultLog:
    """The faults of one piece of work that is tried again and again."""

    def __init__(self, log: logging.Logger, work: str) -> None:
        self._log = log
        self._work = work
        self._told: str | None = None

    def met(self, error: Exception) -> None:
        """Note that the work failed."""
        fault = type(error).__name__
        if fault != self._told:
            self._log.warning("%s fails: %s", self._work, fault)
        self._told = fault

    def passed(self) -> None:
        """Note that the work was done."""
        if self._told is not None:
            self._log.warning("%s works again", self._work)
        self._told = None


def class_and_place(error: BaseException) -> str:
    """Name an error's class and the innermost line it came from, as a place to look."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "an unknown place"
    if trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f"{type(error).__name__} at {place}"
