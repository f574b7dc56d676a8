"""Counts the uses of counted permits: never more answers than the court allowed.

Each use has a claim, so that two questions about one sale use the permit once. The permits are
locked until the caller's transaction ends, and counted anew behind the lock.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import LargeBinary, Text

from checker.domain.permit import Permit
from checker.domain.standing import Standing
from checker.journal.entries import Area, Named, write_entries
from checker.registry.contents import PERMIT_USE, use_digest
from checker.registry.schema import permit, permit_use
from checker.vault import Vault

_ids = bindparam("ids", type_=ARRAY(Text))
_claims = bindparam("claims", type_=ARRAY(LargeBinary))
# In one order for everybody, so that no two wait for each other.
_lock = (
    select(permit.c.pk, permit.c.id, permit.c.uses)
    .where(permit.c.id == any_(_ids))
    .order_by(permit.c.pk)
    .with_for_update()
)
# A statement of its own: only one that begins after the lock was given sees what it waited for.
_count = (
    select(
        permit_use.c.permit_pk,
        func.count().label("used"),
        func.array_agg(permit_use.c.claim, type_=ARRAY(LargeBinary))
        .filter(permit_use.c.claim == any_(_claims))
        .label("claimed"),
    )
    .join(permit, permit.c.pk == permit_use.c.permit_pk)
    .where(permit.c.id == any_(_ids))
    .group_by(permit_use.c.permit_pk)
)


class PermitUses:
    """Some permits, locked, and what is used of them; `write` puts down what was claimed since."""

    def __init__(self, permits: Collection[Any], counts: Collection[Any]) -> None:
        self._permits = {row.id: row for row in permits}
        self._used = {row.permit_pk: row.used for row in counts}
        self._claimed = {(row.permit_pk, claim) for row in counts for claim in row.claimed or ()}
        self._fresh: list[tuple[int, bytes]] = []

    @classmethod
    async def lock(
        cls, connection: AsyncConnection, permit_ids: Collection[str], claims: Collection[bytes]
    ) -> "PermitUses":
        """Lock the permits and count their uses."""
        parameters = {"ids": list(permit_ids), "claims": list(claims)}
        permits = (await connection.execute(_lock, parameters)).all()
        return cls(permits, (await connection.execute(_count, parameters)).all())

    def left(self, counted: Permit, claim: bytes) -> int:
        """How many uses of a permit there are for this claim, one that it has made included."""
        row = self._permits[counted.id]
        own = 1 if (row.pk, claim) in self._claimed else 0
        left: int = row.uses - self._used.get(row.pk, 0) + own
        return max(0, left)

    def left_in(self, standing: Standing, claim: bytes) -> Standing:
        """Return the standing with what is left of its counted permits for this claim."""
        permits = tuple(
            msgspec.structs.replace(permit, uses_left=self.left(permit, claim))
            if permit.is_counted
            else permit
            for permit in standing.permits
        )
        return msgspec.structs.replace(standing, permits=permits)

    def claim(self, counted: Permit, claim: bytes) -> None:
        """Use a permit of which something is left; again with the same claim, nothing more."""
        assert self.left(counted, claim) > 0, "something is left"
        pk = self._permits[counted.id].pk
        if (pk, claim) in self._claimed:
            return
        self._claimed.add((pk, claim))
        self._used[pk] = self._used.get(pk, 0) + 1
        self._fresh.append((pk, claim))

    async def write(self, connection: AsyncConnection, vault: Vault, at: datetime) -> None:
        """Put down the uses, and enter them in the journal."""
        rows = [{"permit_pk": pk, "claim": claim, "at": at} for pk, claim in self._fresh]
        if not rows:
            return
        await connection.execute(insert(permit_use).values(rows))
        ids = {row.pk: permit_id for permit_id, row in self._permits.items()}
        named = [
            Named(
                PERMIT_USE,
                f"{ids[pk]}#{claim.hex()}",
                use_digest(vault.digest, ids[pk], claim, at),
            )
            for pk, claim in self._fresh
        ]
        await write_entries(connection, vault, Area.PERMITS, named)
