"""What changes did to outlines and the cache may not have taken in yet.

Change rows and outbox rows are written in the transaction of the change, so that nothing can be in
force in PostgreSQL and forgotten here. Reading is by "everything since": several changes come as
one, a token with its latest outline alone, and reading the same twice does no harm.
"""

from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, func, lateral, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.registry.publication import ChangeKind, ListVersion
from checker.registry.schema import change, outbox

KEPT_VERSIONS = 10_000
"""Outbox rows of older changes may be gone: whoever is further behind loads the whole."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What happened after a version, up to `newest`.

    `outlines` is None where it cannot be told token by token: a snapshot lies between, or the
    outbox no longer reaches back so far.
    """

    newest: ListVersion
    outlines: dict[Token, bytes | None] | None


_newest = select(change).order_by(change.c.version.desc()).limit(1).cte("newest")
_after = bindparam("after", type_=change.c.version.type)
_latest = lateral(
    select(outbox.c.token, outbox.c.outline)
    .ext(distinct_on(outbox.c.token))
    .where(and_(outbox.c.version > _after, outbox.c.version <= _newest.c.version))
    .order_by(outbox.c.token, outbox.c.version.desc())
)
_broken = or_(
    _newest.c.version - _after > KEPT_VERSIONS,
    select(change.c.version)
    .where(and_(change.c.version > _after, change.c.kind != ChangeKind.CHANGES))
    .exists(),
)
# One statement, so that the version and the rows are of one instant.
_since = select(
    _newest.c.version,
    _newest.c.at,
    _newest.c.kind,
    _broken.label("broken"),
    _latest.c.token,
    _latest.c.outline,
).select_from(_newest.outerjoin(_latest, true()))


async def read_since(connection: AsyncConnection, after: int) -> Pending | None:
    """Read what happened after version `after`; None: no list was ever taken in."""
    rows = (await connection.execute(_since, {"after": after})).all()
    if not rows:
        return None
    first = rows[0]
    newest = ListVersion(version=first.version, at=first.at, kind=ChangeKind(first.kind))
    return Pending(newest=newest, outlines=None if first.broken else _outlines(rows))


async def prune_outbox(connection: AsyncConnection) -> None:
    """Remove what nobody may ask for any more."""
    oldest = select(func.max(change.c.version) - KEPT_VERSIONS).scalar_subquery()
    await connection.execute(delete(outbox).where(outbox.c.version <= oldest))


def _outlines(rows: Any) -> dict[Token, bytes | None]:
    return {Token(row.token): row.outline for row in rows if row.token is not None}
