"""Writes an entry of the operators' log, in the transaction that carries out the action.

The journal names each entry (`checker.journal`), so `checker audit verify` finds an entry that
somebody changed, added or removed behind the trigger.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.journal.content import content_digest
from checker.journal.entries import Area, Named, write_entries
from checker.journal.kinds import Kind, each_digested
from checker.operators.action import ActionAuthor, ActionOutcome, OperatorAction
from checker.operators.schema import operator_action
from checker.vault import Vault

ENTRY: Final = "operator_action"

_ROWS: Final = (
    "SELECT CAST(pk AS text) AS key, CAST(0 AS bigint) AS version, operator_action.*"
    " FROM operator_action"
)
_NO_DETAILS: Final[Mapping[str, Any]] = {}


async def log_action(
    connection: AsyncConnection,
    vault: Vault,
    action: OperatorAction,
    target: str | None,
    *,
    by: ActionAuthor,
    at: datetime,
    outcome: ActionOutcome = ActionOutcome.DONE,
    details: Mapping[str, Any] = _NO_DETAILS,
) -> int:
    """Write an entry, and return its number.

    `details` are texts, numbers and lists of them, and never anything about a listed person.
    """
    values = {
        "at": at,
        "door": by.door,
        "account_id": by.account_id,
        "key_pk": by.key_pk,
        "action": action,
        "target": target,
        "outcome": outcome,
        "details": dict(details),
    }
    written = insert(operator_action).values(values).returning(operator_action)
    row = (await connection.execute(written)).one()
    named = [Named(ENTRY, str(row.pk), _digest(vault, row))]
    await write_entries(connection, vault, Area.AUDIT, named)
    number: int = row.pk
    return number


def operator_kinds(vault: Vault) -> tuple[Kind, ...]:
    """Return the description of the entries for the journal."""
    digests = each_digested(lambda row: _digest(vault, row))
    return (Kind(area=Area.AUDIT, name=ENTRY, rows=_ROWS, digests=digests),)


def _digest(vault: Vault, row: Any) -> bytes:
    content = {column.key: getattr(row, column.key) for column in operator_action.c}
    return content_digest(vault.digest, ENTRY, content)
