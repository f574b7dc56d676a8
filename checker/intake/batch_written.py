"""The result of a batch of operations."""

import msgspec

from checker.intake.quarantine_rows import LineVerdict
from checker.registry.versions import ListVersion


class BatchWritten(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a batch: the newest version then, and the lines that were rejected.

    `newest` None: there is no list yet. `quarantined` of the rejected lines are kept. The accepted
    lines stand without their `dropped_fields`.
    """

    newest: ListVersion | None
    accepted: int
    rejected: tuple[LineVerdict, ...]
    quarantined: int
    dropped_fields: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """The number of the newest version, 0 without a list."""
        return 0 if self.newest is None else self.newest.version
