"""Changes that were acknowledged and that the registry no longer has.

A standby or a backup that lacks the newest changes may take over as the registry. The cache and the
nodes may still name these changes, by number and id. The changes themselves cannot be had back from
there: the courts must send them again. So each lost change is noted once, with its number and its
instant, for operators: in the log, in `GET /v1/list`, in `checker status`, and as a metric.

The cache's stream names about the last 4 096 changes and heartbeats, so not every lost change is
found. The numbers between the registry's newest change at that time and the newest lost one are all
lost.

A list that lacks acknowledged changes may answer `allow` for a listed person. So
nobody is answered while a lost change is not accepted (`IS_SET_BACK`). An operator accepts all lost
changes by `checker accept-older` (decision 0048). A lost change that is found later, and that is no
newer than an accepted one, belongs to the same loss and is accepted too.
"""

import logging
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.changes import Position
from cache.replica_source import HeldChange
from checker.domain.clock import Instant
from checker.operators.action import ActionAuthor, OperatorAction
from checker.operators.entries import log_action
from checker.registry.schema import change, lost_change
from checker.vault import Vault

SHOWN_MAX = 100
"""Lost changes in one answer, the newest ones."""

IS_SET_BACK: Final[ColumnElement[bool]] = (
    select(lost_change.c.change_id).where(lost_change.c.accepted_at.is_(None)).exists()
)
"""Whether this registry is known to lack changes, and no operator has accepted the loss."""

SET_BACK: Final = (
    "the list went back to an older state, and nobody is cleared by it: courts must send the lost"
    " changes again, or an operator accepts the older list (checker accept-older)"
)
"""The text of an answer meanwhile."""

_log = logging.getLogger(__name__)


class LostChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that the registry does not have, and the newest one it had when that was found."""

    version: int
    made_at: Instant
    newest_version: int
    found_at: Instant


_ids = bindparam("ids", type_=ARRAY(Uuid))
_known = select(change.c.version, change.c.change_id).where(
    change.c.version == any_(bindparam("versions", type_=ARRAY(BigInteger)))
)
_shown = (
    select(lost_change)
    .order_by(lost_change.c.found_at.desc(), lost_change.c.version.desc())
    .limit(SHOWN_MAX)
)
_newest = select(func.coalesce(func.max(change.c.version), 0))
_noting = insert(lost_change).on_conflict_do_nothing().returning(lost_change.c.version)
_newest_accepted = select(func.max(lost_change.c.made_at)).where(
    lost_change.c.accepted_at.is_not(None)
)
_accepting = (
    update(lost_change).where(lost_change.c.accepted_at.is_(None)).returning(lost_change.c.version)
)


async def ids_unknown(connection: AsyncConnection, held: Collection[HeldChange]) -> frozenset[str]:
    """Return the ids among `held` of changes that the registry does not have."""
    versions = sorted({each.version for each in held})
    rows = await connection.execute(_known, {"versions": versions})
    known = {(row.version, row.change_id.hex) for row in rows}
    return frozenset(each.change_id for each in held if (each.version, each.change_id) not in known)


async def note_lost(connection: AsyncConnection, positions: Iterable[Position]) -> int:
    """Note those of `positions` that the registry does not have; return how many are new.

    Each is logged once in the deployment. The caller commits.
    """
    by_id = {position.change_id: position for position in positions}
    held = {HeldChange(each.version, each.change_id) for each in by_id.values()}
    lost = [by_id[change_id] for change_id in await ids_unknown(connection, held)]
    if not lost:
        return 0
    newest = (await connection.execute(_newest)).scalar_one()
    accepted = (await connection.execute(_newest_accepted)).scalar()
    rows = [
        {
            "change_id": UUID(each.change_id),
            "version": each.version,
            "made_at": made_at,
            "history": UUID(each.history),
            "newest_version": newest,
            "found_at": datetime.now(UTC),
            "accepted_at": accepted if accepted is not None and made_at <= accepted else None,
        }
        for each in lost
        for made_at in (datetime.fromtimestamp(each.as_of_ms / 1000, UTC),)
    ]
    noted = sorted((await connection.execute(_noting.values(rows))).scalars())
    if noted:
        _log.error(
            "the registry has lost changes %d to %d of the list, its newest is %d: "
            "it was failed over or restored to an older state, and courts must send them again; "
            "nobody is answered until an operator accepts the older list (checker accept-older)",
            min(noted[0], newest + 1),
            noted[-1],
            newest,
        )
    return len(noted)


async def accept_lost(
    connection: AsyncConnection, vault: Vault, now: datetime, *, by: ActionAuthor
) -> tuple[int, ...]:
    """Accept all losses that are not accepted; return their versions.

    The acceptance is logged as an operator's action. The caller commits.
    """
    rows = await connection.execute(_accepting.values(accepted_at=now))
    accepted = tuple(sorted(rows.scalars()))
    if accepted:
        action, details = OperatorAction.ACCEPT_OLDER_LIST, {"versions": list(accepted)}
        await log_action(connection, vault, action, None, by=by, at=now, details=details)
    return accepted


async def read_lost(connection: AsyncConnection) -> tuple[LostChange, ...]:
    """Return the lost changes that were found last, the newest first."""
    return tuple(
        LostChange(
            version=row.version,
            made_at=row.made_at,
            newest_version=row.newest_version,
            found_at=row.found_at,
        )
        for row in await connection.execute(_shown)
    )
