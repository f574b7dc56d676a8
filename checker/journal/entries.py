"""Writes entries of the journal, in the transaction that writes the rows themselves.

An entry names rows of one area by kind and key, each with a digest of the row's content. The
digests have the key of the deployment (`Vault.digest`): nobody writes an entry with access to
PostgreSQL alone. An older entry cannot replace a newer one, because each has a nonce and its own
place in the chain.
"""

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.journal.schema import journal
from checker.vault import DIGEST_BYTES, Vault

NAMED_MAX: Final = 1_000
"""Rows that one entry names: about 50 KB, so that a reader needs little memory."""

NONCE_BYTES: Final = 16

NOTHING: Final = bytes(DIGEST_BYTES)
"""The digest of a row that is gone, and of a row that has nothing besides its key."""

BEGINNING: Final = "beginning"
"""The kind of the first entry: the instant at which the journal began, and the number of rows."""

_encode = msgspec.json.Encoder().encode


class Area(StrEnum):
    """The part of the service that wrote the rows."""

    LIST = "list"
    SPENDING = "spending"
    PERMITS = "permits"
    ACCOUNTS = "accounts"
    RECEIPTS = "receipts"
    CORRECTIONS = "corrections"
    AUDIT = "audit"


class Named(NamedTuple):
    """One row: its kind, its key, and the digest of its content."""

    kind: str
    key: str
    digest: bytes


async def write_entries(
    connection: AsyncConnection,
    vault: Vault,
    area: Area,
    named: Sequence[Named],
    *,
    version: int | None = None,
) -> None:
    """Enter rows that this transaction has written. `version` is set for a change of the list."""
    slices = range(0, len(named), NAMED_MAX)
    rows = [
        entry_row(vault, area, named[start : start + NAMED_MAX], version=version)
        for start in slices
    ]
    if rows:
        await connection.execute(insert(journal), rows)


def entry_row(
    vault: Vault, area: Area, named: Sequence[Named], *, version: int | None = None
) -> dict[str, Any]:
    """Return the row of one entry."""
    row = {
        "nonce": os.urandom(NONCE_BYTES),
        "area": area.value,
        "version": version,
        "keys": [f"{each.kind} {each.key}" for each in named],
        "digests": [each.digest for each in named],
    }
    return row | {"mac": mac_of(vault, row)}


def mac_of(vault: Vault, row: Mapping[str, Any]) -> bytes:
    """Return the keyed digest of an entry, given its columns."""
    content = [row[name] for name in ("nonce", "area", "version", "keys", "digests")]
    return vault.link(b"entry" + _encode(content))
