"""Removes rejected lines of feeds whose time is over."""

from datetime import datetime
from typing import Final

from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def remove_lines(
    connection: AsyncConnection, *, corrected_before: datetime, before: datetime
) -> int:
    """Remove lines that a retry put in force before an instant, and open lines of before another.

    Return the number of lines. `checker.intake.quarantine_rows` bounds the lines of an account.
    """
    parameters = {"corrected_before": corrected_before, "before": before}
    return (await connection.execute(_REMOVE, parameters)).rowcount


_instant: Final = DateTime(timezone=True)
_REMOVE: Final = text(
    """
    DELETE FROM quarantine USING (
        SELECT pk FROM quarantine LEFT JOIN change ON change.version = resolved_version
        WHERE change.at < :corrected_before
           OR resolved_version IS NULL AND quarantine.at < :before
    ) AS over
    WHERE over.pk = quarantine.pk
    """
).bindparams(bindparam("corrected_before", type_=_instant), bindparam("before", type_=_instant))
