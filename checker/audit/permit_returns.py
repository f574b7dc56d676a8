"""Settles the use of a counted permit when an outcome is reported about the answer that used it.

| outcome | the use |
|---|---|
| `refused`, `cancelled` | is given back once, unless another answer on the same use was sold |
| `sold`, if the use was given back | is taken again, even if no use is left |
| `sold` otherwise, `overridden` | stays as it is |

Several answers may rest on one use, because an order was asked about twice. An institution may
report about each of them. The last outcome of each answer counts. The permit is locked before the
outcomes are read, so two reports at once see each other.
"""

from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.schema import reported_outcome
from checker.journal.entries import Area, Named, write_entries
from checker.registry.contents import PERMIT_RETURN, UseKey, use_return_digest
from checker.registry.permit_schema import permit, permit_answer, permit_use
from checker.registry.permit_uses import PermitUses
from checker.vault import Vault

_USE: Final = (
    select(permit_answer, permit.c.id.label("permit_id"))
    .join_from(permit_answer, permit, permit.c.pk == permit_answer.c.permit_pk)
    .where(permit_answer.c.decision_id == bindparam("decision_id"))
    .order_by(permit_answer.c.number.desc())
    .limit(1)
)
_of_use = (
    permit_use.c.permit_pk == bindparam("pk"),
    permit_use.c.claim == bindparam("of_claim"),
    permit_use.c.number == bindparam("of_number"),
)
_IS_RETURNED: Final = select(permit_use.c.returned_at.is_not(None)).where(*_of_use)
_later = reported_outcome.alias("later")
_IS_SOLD: Final = select(
    exists()
    .where(
        permit_answer.c.permit_pk == bindparam("pk"),
        permit_answer.c.claim == bindparam("of_claim"),
        permit_answer.c.number == bindparam("of_number"),
        permit_answer.c.decision_id != bindparam("decision_id"),
        reported_outcome.c.decision_id == permit_answer.c.decision_id,
        reported_outcome.c.outcome == "sold",
    )
    .where(
        ~exists().where(
            _later.c.decision_id == reported_outcome.c.decision_id,
            _later.c.pk > reported_outcome.c.pk,
        )
    )
)
_RETURN: Final = (
    update(permit_use)
    .where(*_of_use, permit_use.c.returned_at.is_(None))
    .values(returned_at=bindparam("then"), returned_by=bindparam("decision_id"))
)


class UseEffect(Enum):
    """The effect of an outcome on the use of a permit."""

    GIVE_BACK = "give_back"
    TAKE = "take"
    """A use that was given back is taken again."""
    NONE = "none"


async def settle_use(
    connection: AsyncConnection, vault: Vault, decision_id: str, effect: UseEffect, at: datetime
) -> None:
    """Settle the use on which a decision rests; without such a use nothing happens.

    The caller writes the report in the same transaction.
    """
    if effect is UseEffect.NONE:
        return
    row = (await connection.execute(_USE, {"decision_id": decision_id})).one_or_none()
    if row is None:
        return
    uses = await PermitUses.lock(connection, [row.permit_id], [row.claim])
    of_use = {"pk": row.permit_pk, "of_claim": row.claim, "of_number": row.number}
    if effect is UseEffect.GIVE_BACK:
        await _give_back(connection, vault, row, of_use | {"decision_id": decision_id}, at)
    elif (await connection.execute(_IS_RETURNED, of_use)).scalar_one():
        uses.use(row.permit_pk, row.claim, decision_id)
        await uses.write(connection, vault, at)


async def _give_back(
    connection: AsyncConnection, vault: Vault, row: Any, of_use: dict[str, Any], at: datetime
) -> None:
    if (await connection.execute(_IS_SOLD, of_use)).scalar_one():
        return
    if (await connection.execute(_RETURN, of_use | {"then": at})).rowcount == 0:
        return
    use = UseKey(row.permit_id, row.claim, row.number)
    digest = use_return_digest(vault.digest, use, at, of_use["decision_id"])
    await write_entries(connection, vault, Area.PERMITS, [Named(PERMIT_RETURN, use.text, digest)])
