"""Logs a fault once when it starts, once when it changes, and once when it ends.

A log line names the class of an error, and for a bug the place. The text of an error is left out,
because it may quote a request.
"""

import logging

from cache.errors import CacheError
from checker.errors import CheckerError

_EXPECTED = (CheckerError, CacheError)


class FaultLog:
    """The faults of one piece of work that is tried again and again."""

    def __init__(self, log: logging.Logger, work: str) -> None:
        self._log = log
        self._work = work
        self._logged: str | None = None

    def met(self, error: BaseException) -> None:
        """Note that the work failed; log the fault unless it is the one that was logged last."""
        fault = type(error).__name__
        if fault != self._logged:
            known = isinstance(error, _EXPECTED)
            self._log.warning("%s fails: %s", self._work, fault if known else _placed(error))
        self._logged = fault

    def passed(self) -> None:
        """Note that the work was done; log this if the work had failed before."""
        if self._logged is not None:
            self._log.warning("%s works again", self._work)
        self._logged = None


def class_and_place(error: BaseException) -> str:
    """Return an error's class and the innermost line that the error came from."""
    place = _place_of(error)
    return f"{type(error).__name__} at {place or 'an unknown place'}"


def _placed(error: BaseException) -> str:
    return class_and_place(error) if error.__traceback__ else type(error).__name__


def _place_of(error: BaseException) -> str | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
