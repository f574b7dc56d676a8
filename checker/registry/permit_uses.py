"""Counts the uses of counted permits: never more answers than the court allowed.

Each use has a claim, so that two questions about one sale use the permit once. The permits are
locked until the caller's transaction ends, and counted anew behind the lock.

The uses of one claim are numbered. A use that is given back (`checker.audit.permit_returns`) is not
counted any more. If the same sale is asked about again, the claim makes its next use.
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
from checker.registry.contents import (
    PERMIT_ANSWER,
    PERMIT_USE,
    UseKey,
    use_answer_digest,
    use_digest,
)
from checker.registry.permit_schema import permit, permit_answer, permit_use
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
# Statements of their own: only one that begins after the lock was given sees what it waited for.
_count = (
    select(permit_use.c.permit_pk, func.count().label("used"))
    .join(permit, permit.c.pk == permit_use.c.permit_pk)
    .where(permit.c.id == any_(_ids), permit_use.c.returned_at.is_(None))
    .group_by(permit_use.c.permit_pk)
)
_claimed = (
    select(
        permit_use.c.permit_pk,
        permit_use.c.claim,
        func.max(permit_use.c.number).label("number"),
        func.bool_or(permit_use.c.returned_at.is_(None)).label("is_used"),
    )
    .join(permit, permit.c.pk == permit_use.c.permit_pk)
    .where(permit.c.id == any_(_ids), permit_use.c.claim == any_(_claims))
    .group_by(permit_use.c.permit_pk, permit_use.c.claim)
)


class PermitUses:
    """Some permits, locked, and what is used of them; `write` writes the uses claimed since.

    `counts` are rows of `_count`, and `claimed` rows of `_claimed`. Of each claim only the newest
    use may stand.
    """

    def __init__(
        self, permits: Collection[Any], counts: Collection[Any], claimed: Collection[Any]
    ) -> None:
        self._permits = {row.id: row for row in permits}
        self._ids = {row.pk: row.id for row in permits}
        self._used = {row.permit_pk: row.used for row in counts}
        self._newest = {(row.permit_pk, row.claim): row.number for row in claimed}
        self._standing = {(row.permit_pk, row.claim) for row in claimed if row.is_used}
        self._fresh: list[tuple[int, bytes, int]] = []
        self._answers: list[tuple[str, int, bytes, int]] = []

    @classmethod
    async def lock(
        cls, connection: AsyncConnection, permit_ids: Collection[str], claims: Collection[bytes]
    ) -> "PermitUses":
        """Lock the permits and count their uses."""
        parameters = {"ids": list(permit_ids), "claims": list(claims)}
        permits = (await connection.execute(_lock, parameters)).all()
        counts = (await connection.execute(_count, {"ids": parameters["ids"]})).all()
        return cls(permits, counts, (await connection.execute(_claimed, parameters)).all())

    def left(self, counted: Permit, claim: bytes) -> int:
        """Return the number of uses of a permit that this claim may make, with its own use."""
        row = self._permits[counted.id]
        own = 1 if (row.pk, claim) in self._standing else 0
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

    def claim(self, counted: Permit, claim: bytes, decision_id: str | None = None) -> None:
        """Use a permit of which something is left; again with the same claim, nothing more.

        `decision_id` is the id of the answer that rests on the use. None: the answer is no
        decision, and no outcome gives the use back.
        """
        assert self.left(counted, claim) > 0, "something is left"
        self.use(self._permits[counted.id].pk, claim, decision_id)

    def use(self, pk: int, claim: bytes, decision_id: str | None) -> None:
        """Use the permit of this number, whether or not something is left."""
        if (pk, claim) not in self._standing:
            self._standing.add((pk, claim))
            self._newest[pk, claim] = self._newest.get((pk, claim), -1) + 1
            self._used[pk] = self._used.get(pk, 0) + 1
            self._fresh.append((pk, claim, self._newest[pk, claim]))
        if decision_id is not None:
            self._answers.append((decision_id, pk, claim, self._newest[pk, claim]))

    async def write(self, connection: AsyncConnection, vault: Vault, at: datetime) -> None:
        """Write the uses and their answers, and enter them in the journal."""
        named = []
        if self._fresh:
            rows = [
                {"permit_pk": pk, "claim": claim, "number": number, "at": at}
                for pk, claim, number in self._fresh
            ]
            await connection.execute(insert(permit_use).values(rows))
            for pk, claim, number in self._fresh:
                use = UseKey(self._ids[pk], claim, number)
                named.append(Named(PERMIT_USE, use.text, use_digest(vault.digest, use, at)))
        if self._answers:
            answers = [
                {"decision_id": decision_id, "permit_pk": pk, "claim": claim, "number": number}
                for decision_id, pk, claim, number in self._answers
            ]
            await connection.execute(insert(permit_answer).values(answers))
            for decision_id, pk, claim, number in self._answers:
                use = UseKey(self._ids[pk], claim, number)
                digest = use_answer_digest(vault.digest, use, decision_id)
                named.append(Named(PERMIT_ANSWER, f"{decision_id}#{number}", digest))
        if named:
            await write_entries(connection, vault, Area.PERMITS, named)
