"""Enters accounts, keys and flags in the journal, and describes their rows for the journal.

A row is entered again whenever the row is written. Its newest entry is the entry that counts.
"""

from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from checker.accounts.schema import account, account_flag, api_key
from checker.journal.content import content_digest
from checker.journal.entries import Area, Named, write_entries
from checker.journal.kinds import Kind, each_digested
from checker.vault import Vault

ACCOUNT: Final = "account"
KEY: Final = "api_key"
FLAG: Final = "account_flag"

_TABLES: Final = {ACCOUNT: account, KEY: api_key, FLAG: account_flag}
# The columns that each table had when the journal began. All digests hold these columns. A digest
# holds a later column only if the row has a value there, so that older digests stay as they are.
_FIRST_FIELDS: Final = {
    ACCOUNT: (
        "id",
        "name",
        "role",
        "created_at",
        "number",
        "services",
        "jurisdiction",
        "items_per_minute",
        "items_per_day",
        "disabled_at",
    ),
    KEY: (
        "pk",
        "account_id",
        "digest",
        "services",
        "jurisdiction",
        "items_per_minute",
        "created_at",
        "revoked_at",
        "id",
        "prefix",
        "items_per_day",
        "expires_at",
        "rotated_at",
    ),
    FLAG: (
        "pk",
        "account_id",
        "ground",
        "at",
        "slowed_until",
        "items",
        "marked",
        "kind_share",
        "cleared_at",
        "cleared_by",
    ),
}
_LATER_FIELDS: Final = {
    name: [column.key for column in table.c if column.key not in _FIRST_FIELDS[name]]
    for name, table in _TABLES.items()
}
_KEYS: Final = {ACCOUNT: "id", KEY: "CAST(id AS text)", FLAG: "account_id || '#' || pk"}


async def journal_account(connection: AsyncConnection, vault: Vault, row: Any) -> None:
    """Enter an account as its row is now."""
    await _enter(connection, vault, ACCOUNT, str(row.id), row)


async def journal_key(connection: AsyncConnection, vault: Vault, row: Any) -> None:
    """Enter a key as its row is now."""
    await _enter(connection, vault, KEY, str(row.id), row)


async def journal_flag(connection: AsyncConnection, vault: Vault, row: Any) -> None:
    """Enter a flag as its row is now."""
    await _enter(connection, vault, FLAG, f"{row.account_id}#{row.pk}", row)


def account_kinds(vault: Vault) -> tuple[Kind, ...]:
    """Return the descriptions of accounts, keys and flags for the journal."""
    return tuple(_kind(vault, name) for name in _TABLES)


def _kind(vault: Vault, name: str) -> Kind:
    return Kind(
        area=Area.ACCOUNTS,
        name=name,
        rows=f"SELECT {_KEYS[name]} AS key, CAST(0 AS bigint) AS version, {name}.* FROM {name}",  # noqa: S608 - ours
        digests=each_digested(lambda row: _digest(vault, name, row)),
        is_state=True,
    )


async def _enter(connection: AsyncConnection, vault: Vault, name: str, key: str, row: Any) -> None:
    named = [Named(name, key, _digest(vault, name, row))]
    await write_entries(connection, vault, Area.ACCOUNTS, named)


def _digest(vault: Vault, name: str, row: Any) -> bytes:
    content = {field: getattr(row, field) for field in _FIRST_FIELDS[name]}
    for field in _LATER_FIELDS[name]:
        if (value := getattr(row, field)) is not None:
            content[field] = value
    return content_digest(vault.digest, name, content)
