"""A change of the list that brings no word of a court: outlines are computed anew.

The change accepts no line, and has the instant of the change before it. So a list that is stale
stays stale, and no notice is due. The version grows, and the outlines reach all nodes.
"""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from checker.registry.journaling import ChangeRow, journal_change
from checker.registry.projection import refresh_outlines
from checker.registry.versions import ChangeKind, newest_version, put_change
from checker.vault import Vault


async def put_quiet_change(
    connection: AsyncConnection, vault: Vault, tokens: Collection[bytes]
) -> None:
    """Compute the outlines of `tokens` after the caller has changed their rows.

    The caller holds `Lock.LIST_WRITER`, and there is a list.
    """
    newest = await newest_version(connection)
    assert newest is not None, "rows of the list came with a change"
    made = await put_change(
        connection, kind=ChangeKind.CHANGES, at=newest.at, accepted=0, rejected=0
    )
    await refresh_outlines(connection, tokens, made.version)
    await journal_change(connection, vault, ChangeRow.of(made, accepted=0, rejected=0), ())
