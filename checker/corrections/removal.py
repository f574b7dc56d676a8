"""Removes corrections whose time is over. The journal notes that each of them is gone."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.corrections.journaled import CORRECTION
from checker.corrections.schema import correction, correction_listing
from checker.journal.entries import NOTHING, Area, Named, write_entries
from checker.vault import Vault

REMOVED_AT_ONCE: Final = 500
"""Corrections of one transaction."""


async def remove_corrections(connection: AsyncConnection, vault: Vault, *, before: datetime) -> int:
    """Remove up to `REMOVED_AT_ONCE` corrections that were ruled on before an instant.

    Return the number of corrections. A correction without a ruling stays.
    """
    over = (
        select(correction.c.pk, correction.c.id)
        .where(correction.c.ruled_at < before)
        .order_by(correction.c.pk)
        .limit(REMOVED_AT_ONCE)
        .with_for_update()
    )
    rows = (await connection.execute(over)).all()
    if rows:
        pks = [row.pk for row in rows]
        of_them = correction_listing.c.correction_pk.in_(pks)
        await connection.execute(delete(correction_listing).where(of_them))
        await connection.execute(delete(correction).where(correction.c.pk.in_(pks)))
        named = [Named(CORRECTION, str(row.id), NOTHING) for row in rows]
        await write_entries(connection, vault, Area.CORRECTIONS, named)
    return len(rows)
