"""Enters the keys that sign receipts in the journal, and describes their rows for the journal."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from checker.journal.content import content_digest
from checker.journal.entries import NOTHING, Area, Named, write_entries
from checker.journal.kinds import Kind, each_digested
from checker.vault import Vault

KEY: Final = "receipt_key"
JWK_PLACE: Final = "receipt_key.sealed_jwk"

_ROWS: Final = """
    SELECT CAST(number AS text) AS key, CAST(0 AS bigint) AS version, receipt_key.* FROM receipt_key
"""


async def journal_receipt_key(
    connection: AsyncConnection, vault: Vault, number: int, *, jwk: str, signs_from: datetime
) -> None:
    """Enter a key as it is now."""
    digest = _digest(vault, number, jwk, signs_from)
    await write_entries(connection, vault, Area.RECEIPTS, [Named(KEY, str(number), digest)])


async def journal_withdrawn(connection: AsyncConnection, vault: Vault, number: int) -> None:
    """Enter that a key was withdrawn."""
    await write_entries(connection, vault, Area.RECEIPTS, [Named(KEY, str(number), NOTHING)])


def receipt_kinds(vault: Vault) -> tuple[Kind, ...]:
    """Return the descriptions of the keys that sign receipts for the journal."""

    def digest(row: Any) -> bytes:
        jwk = vault.open(row.sealed_jwk, JWK_PLACE, str(row.number))
        return _digest(vault, row.number, jwk, row.signs_from)

    digests = each_digested(digest)
    return (Kind(area=Area.RECEIPTS, name=KEY, rows=_ROWS, digests=digests, is_state=True),)


def _digest(vault: Vault, number: int, jwk: str, signs_from: datetime) -> bytes:
    content = {"number": number, "jwk": jwk, "signs_from": signs_from}
    return content_digest(vault.digest, KEY, content)
