"""Begins the journal of a database: enters the rows that are older than the journal.

The first start of this version does so once, before it writes anything. The rows are entered as
they stand. A change that somebody made before then cannot be found.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold
from checker.errors import ConfigurationError
from checker.journal.content import content_digest
from checker.journal.entries import (
    BEGINNING,
    NAMED_MAX,
    NOTHING,
    Area,
    Named,
    entry_row,
    write_entries,
)
from checker.journal.kinds import Kind
from checker.journal.schema import journal
from checker.journal.verification import pages
from checker.vault import Vault

_IS_BEGUN = text("SELECT journaled_at IS NOT NULL FROM deployment")
_BEGUN = text("UPDATE deployment SET journaled_at = :at")

_log = logging.getLogger(__name__)


async def begin_journal(
    engine: AsyncEngine, vault: Vault, kinds: Sequence[Kind], now: datetime
) -> None:
    """Begin the journal, unless it is begun. `engine` is one without a bound on statements.

    Raises:
        ConfigurationError: a row cannot be read with the keys of this deployment.
        Unavailable: PostgreSQL cannot be reached.
    """
    with driver_errors():
        async with engine.connect() as connection:
            if (await connection.execute(_IS_BEGUN)).scalar_one():
                return
        async with hold(engine, Lock.MIGRATION), engine.begin() as connection:
            if (await connection.execute(_IS_BEGUN)).scalar_one():
                return
            counts = {kind.name: await _enter(connection, vault, kind) for kind in kinds}
            content = {"at": now, "rows": {name: n for name, n in counts.items() if n}}
            digest = content_digest(vault.digest, BEGINNING, content)
            await write_entries(
                connection, vault, Area.AUDIT, [Named(BEGINNING, now.isoformat(), digest)]
            )
            await connection.execute(_BEGUN, {"at": now})
    entered = sum(counts.values())
    if entered:
        _log.warning("the journal begins with %d rows, which are entered as they stand", entered)


async def _enter(connection: AsyncConnection, vault: Vault, kind: Kind) -> int:
    """Enter all rows of a kind, and return their number."""
    entered = 0
    waiting: list[tuple[int, Named]] = []
    ordered = text(f"SELECT * FROM ({kind.rows}) AS stand ORDER BY version, key")  # noqa: S608 - ours
    async for page in pages(connection, kind.typed(ordered)):
        digests: Sequence[bytes | str] = [NOTHING] * len(page)
        if kind.digests is not None:
            digests = await kind.digests(connection, page)
        for row, digest in zip(page, digests, strict=True):
            if isinstance(digest, str):
                raise ConfigurationError(f"{kind.name} {row.key}: {digest}")
            waiting.append((row.version, Named(kind.name, row.key, digest)))
        entered += len(page)
        await connection.execute(insert(journal), _entries(vault, kind, waiting))
        waiting.clear()
    return entered


def _entries(vault: Vault, kind: Kind, named: Sequence[tuple[int, Named]]) -> list[dict[str, Any]]:
    """Return entries for rows that come by version. All rows of an entry have one version."""
    rows = []
    start = 0
    for end in range(1, len(named) + 1):
        version = named[start][0]
        if end == len(named) or named[end][0] != version or end - start == NAMED_MAX:
            of_one = [each for _, each in named[start:end]]
            rows.append(entry_row(vault, kind.area, of_one, version=version or None))
            start = end
    return rows
