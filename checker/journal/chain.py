"""The chain over the journal: no entry is changed, dropped or put in unseen.

    link(n) = keyed digest of link(n-1) | nonce | mac      link(0) = 32 zero bytes

An entry waits for its link until the keeper comes by, so that no answer waits and writers never
wait for each other. Links have the key of the deployment: nobody makes the chain anew with access
to PostgreSQL alone. Only the newest entries can be cut off together with the rows that they name.
A head that was noted before finds that (`checker audit verify --head`).
"""

from typing import Any, Final

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.journal.schema import journal
from checker.vault import LINK_BYTES, Vault

BATCH_ENTRIES: Final = 1_000
"""Links made in one transaction."""

NO_LINK: Final = bytes(LINK_BYTES)
"""The digest before the first link."""

_WAITING = (
    select(journal.c.pk, journal.c.nonce, journal.c.mac)
    .where(journal.c.number.is_(None))
    .order_by(journal.c.pk)
    .limit(BATCH_ENTRIES)
)
_NEWEST = (
    select(journal.c.number, journal.c.link)
    .where(journal.c.number.is_not(None))
    .order_by(journal.c.number.desc())
    .limit(1)
)
_LINK = text(
    """
    UPDATE journal SET number = made.number, link = made.link
    FROM unnest(CAST(:pks AS bigint[]), CAST(:numbers AS bigint[]), CAST(:links AS bytea[]))
        AS made(pk, number, link)
    WHERE journal.pk = made.pk
    """
)


class JournalHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest link: its number, 0 where there is none, and its digest."""

    number: int
    digest: bytes


class JournalChain:
    """Makes links. `engine` is one without a bound on statements."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    async def extend(self) -> int:
        """Make links for all entries that wait; return the number of links made.

        Raises:
            Unavailable: PostgreSQL is away.
        """
        made = 0
        with driver_errors():
            while True:
                async with self._engine.begin() as connection:
                    batch = await _extend_by_a_batch(connection, self._vault)
                made += batch
                if batch < BATCH_ENTRIES:
                    return made


def link_after(vault: Vault, before: bytes, entry: Any) -> bytes:
    """Make the link of an entry behind the link before it."""
    return vault.link(b"link" + before + entry.nonce + entry.mac)


async def read_journal_head(connection: AsyncConnection) -> JournalHead:
    """Read the newest link."""
    row = (await connection.execute(_NEWEST)).one_or_none()
    if row is None:
        return JournalHead(number=0, digest=NO_LINK)
    return JournalHead(number=row.number, digest=row.link)


async def _extend_by_a_batch(connection: AsyncConnection, vault: Vault) -> int:
    await hold_to_commit(connection, Lock.CHAIN)
    waiting = (await connection.execute(_WAITING)).all()
    if not waiting:
        return 0
    head = await read_journal_head(connection)
    links, link = [], head.digest
    for entry in waiting:
        link = link_after(vault, link, entry)
        links.append(link)
    parameters = {
        "pks": [entry.pk for entry in waiting],
        "numbers": list(range(head.number + 1, head.number + 1 + len(waiting))),
        "links": links,
    }
    await connection.execute(_LINK, parameters)
    return len(waiting)
