"""A finding of an examination: one line about the state, and one line about the remedy.

No text holds a secret, a URL, or a name of a user.
"""

from enum import StrEnum
from typing import Self

import msgspec


class FindingLevel(StrEnum):
    """How bad a finding is. A fault breaks a promise of the service; a warning may become one."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `mend` says how to mend the state; None: there is nothing to mend."""

    name: str
    level: FindingLevel
    detail: str
    mend: str | None = None

    @classmethod
    def ok(cls, name: str, detail: str) -> Self:
        """Return a finding of good order."""
        return cls(name=name, level=FindingLevel.OK, detail=detail)

    @classmethod
    def warning(cls, name: str, detail: str, mend: str) -> Self:
        """Return a finding that an operator should look at."""
        return cls(name=name, level=FindingLevel.WARNING, detail=detail, mend=mend)

    @classmethod
    def fault(cls, name: str, detail: str, mend: str) -> Self:
        """Return a finding that an operator must mend."""
        return cls(name=name, level=FindingLevel.FAULT, detail=detail, mend=mend)
