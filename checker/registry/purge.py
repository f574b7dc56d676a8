"""Removes the personal data of listings and permits whose time is over.

The rows stay, so that the ledger knows their ids: an operation that is sent again is judged as
before, and a permit that is over is not granted anew.

    listing   id, court, days, type and versions stay; name, case number, officers and documents go
    permit    id, digest, court, services, days and uses stay; number, token and ground go

A row that was purged says so in `purged_at`. The journal has an entry for each purge. So the
verification does not ask for the content of such a row, and finds a row that somebody else emptied.

A listing is over when a change has ended its row, or when the day of its delisting or expiry has
come. While a court keeps measures of a listing, the listing is not over.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    DateTime,
    any_,
    bindparam,
    delete,
    exists,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.locks import Lock, hold_to_commit
from checker.database.token_column import TokenColumn
from checker.domain.clock import shanghai_day
from checker.journal.entries import NOTHING, Area, Named, write_entries
from checker.registry.contents import LISTING, PERMIT
from checker.registry.journaling import purge_of, row_key
from checker.registry.permit_schema import permit
from checker.registry.quiet_change import put_quiet_change
from checker.registry.schema import document, listing, officer_link, outline
from checker.vault import Vault

PURGED_AT_ONCE: Final = 500
"""Rows of one transaction: some hundred milliseconds behind the list's lock."""


async def purge_listings(
    connection: AsyncConnection, vault: Vault, *, before: datetime, now: datetime
) -> int:
    """Purge up to `PURGED_AT_ONCE` rows of listings that were over before an instant.

    Return the number of rows. The caller's transaction keeps the list's lock.
    """
    await hold_to_commit(connection, Lock.LIST_WRITER)
    wanted = {"before": before, "day": shanghai_day(before), "limit": PURGED_AT_ONCE}
    rows = (await connection.execute(_LISTINGS_OVER, wanted)).all()
    if rows:
        pks = [row.pk for row in rows]
        gone = delete(document).where(document.c.listing_pk.in_(pks)).returning(document.c.token)
        tokens = set((await connection.execute(gone)).scalars())
        await connection.execute(delete(officer_link).where(officer_link.c.listing_pk.in_(pks)))
        await connection.execute(
            update(listing)
            .where(listing.c.pk.in_(pks))
            .values(purged_at=now, party_name=b"", case_number="", digest=b"")
        )
        await _enter(connection, vault, LISTING, [row_key(row.id, row.pk) for row in rows])
        # A listing whose last day has come keeps its outline until a change ends the row.
        if (await connection.execute(_OUTLINED, {"tokens": list(tokens)})).scalar_one():
            await put_quiet_change(connection, vault, tokens)
    return len(rows)


async def purge_permits(
    connection: AsyncConnection, vault: Vault, *, before: datetime, now: datetime
) -> int:
    """Purge up to `PURGED_AT_ONCE` permits whose days were over before an instant.

    Return the number of permits. The caller's transaction keeps the list's lock.
    """
    await hold_to_commit(connection, Lock.LIST_WRITER)
    wanted = {"before": before, "limit": PURGED_AT_ONCE}
    rows = (await connection.execute(_PERMITS_OVER, wanted)).all()
    if rows:
        await connection.execute(
            update(permit)
            .where(permit.c.pk.in_([row.pk for row in rows]))
            .values(purged_at=now, number=b"", token=b"", issuer=None, ground=b"")
        )
        await _enter(connection, vault, PERMIT, [row.id for row in rows])
    return len(rows)


async def _enter(connection: AsyncConnection, vault: Vault, kind: str, keys: Sequence[str]) -> None:
    named = [Named(purge_of(kind), key, NOTHING) for key in keys]
    await write_entries(connection, vault, Area.LIST, named)


# An array: the protocol has room for 32 767 parameters.
_OUTLINED: Final = select(
    exists().where(outline.c.token == any_(bindparam("tokens", type_=ARRAY(TokenColumn))))
)


def _typed(statement: str) -> Any:
    return text(statement).bindparams(
        bindparam("before", type_=DateTime(timezone=True)),
        bindparam("limit", type_=BigInteger),
    )


# A change made by a clock that was wrong ends no term: its neighbours show the time too.
_LISTINGS_OVER: Final = _typed(
    """
    SELECT over.pk, over.id FROM (
        SELECT pk, id FROM listing JOIN change AS ended ON ended.version = until_version
        WHERE purged_at IS NULL AND ended.at < :before
          AND until_version < coalesce(
              (SELECT version FROM change WHERE at >= :before ORDER BY at LIMIT 1),
              until_version + 1
          )
        UNION
        SELECT pk, id FROM listing
        WHERE purged_at IS NULL AND until_version IS NULL AND expires_on < :day
        UNION
        SELECT listing.pk, listing.id
        FROM directive JOIN listing ON listing.id = directive.listing_id
        WHERE directive.kind = 'delisting' AND directive.until_version IS NULL
          AND directive."on" < :day
          AND listing.purged_at IS NULL AND listing.until_version IS NULL
    ) AS over
    WHERE NOT EXISTS (
        SELECT FROM directive AS kept
        WHERE kept.listing_id = over.id AND kept.kind = 'retention'
          AND kept.until_version IS NULL AND kept."on" >= :day
    )
    ORDER BY over.pk LIMIT :limit
    """
).bindparams(bindparam("day", type_=Date))
_PERMITS_OVER: Final = _typed(
    """
    SELECT pk, id FROM permit WHERE purged_at IS NULL AND valid_until < :before
    ORDER BY pk LIMIT :limit
    """
)
