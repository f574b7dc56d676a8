"""The chain over the journal: nobody changes, drops or inserts an entry without a fault.

    link(n) = keyed digest of link(n-1) | nonce | mac      link(0) = 32 zero bytes

The digests have the key of the deployment, so nobody makes the chain anew with access to PostgreSQL
alone. Only the newest entries can be cut off together with their rows. A head that was noted before
shows such a cut (`checker audit verify --head`).
"""

import functools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.journal.chained_table import BATCH_LINKS, ChainedTable, ChainHead, extend_chain
from checker.journal.schema import journal
from checker.vault import Vault

JOURNAL_CHAIN = ChainedTable(number=journal.c.number, digest=journal.c.link)

_WAITING = (
    select(journal.c.pk, journal.c.nonce, journal.c.mac)
    .where(journal.c.number.is_(None))
    .order_by(journal.c.pk)
    .limit(BATCH_LINKS)
)
_LINK = text(
    """
    UPDATE journal SET number = made.number, link = made.link
    FROM unnest(CAST(:pks AS bigint[]), CAST(:numbers AS bigint[]), CAST(:links AS bytea[]))
        AS made(pk, number, link)
    WHERE journal.pk = made.pk
    """
)


async def extend_journal(engine: AsyncEngine, vault: Vault) -> int:
    """Make links for all entries that wait, and return the number of links.

    `engine` is one without a bound on statements. Raises Unavailable.
    """
    digest_of = functools.partial(link_after, vault)
    return await extend_chain(engine, JOURNAL_CHAIN, take=_take, digest_of=digest_of, put=_put)


def link_after(vault: Vault, before: bytes, entry: Any) -> bytes:
    """Return the link of an entry behind the link before it."""
    return vault.link(b"link" + before + entry.nonce + entry.mac)


async def _take(connection: AsyncConnection) -> Sequence[Any]:
    return (await connection.execute(_WAITING)).all()


async def _put(
    connection: AsyncConnection, entries: Sequence[Any], links: Sequence[ChainHead]
) -> None:
    parameters = {
        "pks": [entry.pk for entry in entries],
        "numbers": [link.number for link in links],
        "links": [link.digest for link in links],
    }
    await connection.execute(_LINK, parameters)
