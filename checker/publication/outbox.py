"""The outlines that changes have made, and that the cache may not have taken in yet.

Change rows and outbox rows are written in the transaction of the change, so that nothing can be in
force in PostgreSQL and forgotten here. A reader asks for everything since a change. Several changes
come as one, with the latest outline of each token, and reading the same twice does no harm.
"""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import and_, bindparam, delete, exists, func, lateral, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.changes import Position
from cache.token import Token
from checker.registry.lost_changes import IS_SET_BACK
from checker.registry.schema import change, outbox
from checker.registry.versions import VERSION_COLUMNS, ChangeKind, ListVersion

KEPT_VERSIONS = 10_000
"""Outbox rows of older changes may be gone: a cache that is further behind loads the whole."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """The changes after a version, up to `newest`.

    `outlines` is None where the changes cannot be given token by token: a snapshot lies between,
    the outbox no longer reaches back so far, or the registry does not have the change that was
    asked about. In the last case `is_foreign` is true: the caller's list is of another history.
    `is_set_back`: the registry lacks changes, and nobody may be answered by its list.
    """

    newest: ListVersion
    outlines: dict[Token, bytes | None] | None
    is_foreign: bool
    is_set_back: bool


_newest = select(change).order_by(change.c.version.desc()).limit(1).cte("newest")
_after = bindparam("after", type_=change.c.version.type)
_after_id = bindparam("after_id", type_=change.c.change_id.type)
# The id alone proves that all changes before it are here too: a failover loses the newest changes,
# never one in the middle.
_foreign = and_(
    _after > 0,
    ~exists().where(change.c.version == _after, change.c.change_id == _after_id),
)
_latest = lateral(
    select(outbox.c.token, outbox.c.outline)
    .ext(distinct_on(outbox.c.token))
    .where(and_(outbox.c.version > _after, outbox.c.version <= _newest.c.version))
    .order_by(outbox.c.token, outbox.c.version.desc())
)
_broken = or_(
    _foreign,
    _newest.c.version - _after > KEPT_VERSIONS,
    select(change.c.version)
    .where(and_(change.c.version > _after, change.c.kind != ChangeKind.CHANGES))
    .exists(),
)
# One statement, so that the version and the rows are of one instant.
_since = select(
    *(_newest.c[column.name] for column in VERSION_COLUMNS),
    _broken.label("broken"),
    _foreign.label("foreign"),
    IS_SET_BACK.label("set_back"),
    _latest.c.token,
    _latest.c.outline,
).select_from(_newest.outerjoin(_latest, true()))


async def read_since(connection: AsyncConnection, after: Position | None) -> Pending | None:
    """Read the changes after `after`, None: all of them. Returns None if there is no list yet."""
    asked = {
        "after": 0 if after is None else after.version,
        "after_id": None if after is None else UUID(after.change_id),
    }
    rows = (await connection.execute(_since, asked)).all()
    if not rows:
        return None
    first = rows[0]
    return Pending(
        newest=ListVersion.of(first._mapping),
        outlines=None if first.broken else _outlines(rows),
        is_foreign=first.foreign,
        is_set_back=first.set_back,
    )


async def prune_outbox(connection: AsyncConnection) -> None:
    """Remove outbox rows of more than KEPT_VERSIONS ago."""
    oldest = select(func.max(change.c.version) - KEPT_VERSIONS).scalar_subquery()
    await connection.execute(delete(outbox).where(outbox.c.version <= oldest))


def _outlines(rows: Any) -> dict[Token, bytes | None]:
    return {Token(row.token): row.outline for row in rows if row.token is not None}
