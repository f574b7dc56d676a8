"""The keys that a deployment needs, and the processes that hold them.

A process joins a deployment only with all keys that are needed. The newest of these keys seals. A
key becomes the newest only when every process that runs holds it:

    join        under the lock: the needed keys are held?  no ──> ConfigurationError
                                                            yes ──> the process is noted
    begin_use   under the lock: all noted processes hold the new key?  no ──> they are returned
                                                                       yes ──> the key is needed

So no process meets a value that it cannot open, whichever of both comes first. A process that is
silent for `SILENT_S` counts as ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.locks import Lock, hold_to_commit
from checker.errors import ConfigurationError
from checker.rotation.schema import encryption_key
from checker.vault import Vault

SILENT_S: Final = 30
"""Fifteen rounds of `KeyHolding`. A process that was frozen for longer looks at once when it wakes,
and learns the newer key from its file; without a file it opens nothing under that key."""

FORGOTTEN_S: Final = 86_400

_KEYS = select(encryption_key).order_by(encryption_key.c.number)
_FIRST = text(
    "INSERT INTO encryption_key (number, fingerprint, seals_from)"
    " VALUES (:number, :fingerprint, clock_timestamp()) ON CONFLICT (number) DO NOTHING"
)
_NOTE = text(
    """
    INSERT INTO encryption_key_holder (node, keys, sealing, seen_at)
    VALUES (:node, CAST(:keys AS text[]), :sealing, clock_timestamp())
    ON CONFLICT (node) DO UPDATE
    SET keys = excluded.keys, sealing = excluded.sealing, seen_at = excluded.seen_at
    RETURNING (SELECT max(number) FROM encryption_key) AS newest
    """
)
_FORGET = text(
    "DELETE FROM encryption_key_holder"
    " WHERE seen_at < clock_timestamp() - make_interval(secs => :old_s)"
)
_LEAVE = text("DELETE FROM encryption_key_holder WHERE node = :node")
_HOLDERS = text(
    """
    SELECT node, keys, sealing FROM encryption_key_holder
    WHERE seen_at > clock_timestamp() - make_interval(secs => :silent_s) ORDER BY node
    """
)


class KeyHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A process that runs: the keys that it holds, and the number of the key that it seals with."""

    node: str
    keys: frozenset[str]
    sealing: int


async def needed_keys(connection: AsyncConnection) -> dict[int, str]:
    """Return the fingerprints of the keys under which a value may stand, by number."""
    return {row.number: row.fingerprint for row in await connection.execute(_KEYS)}


async def adopt_keys(connection: AsyncConnection, vault: Vault) -> None:
    """Verify that a vault holds all keys that are needed, and let it seal with the newest key.

    The first process of a deployment makes its oldest key the one that is needed. The lock is held
    until the caller's transaction ends.

    Raises:
        ConfigurationError: the vault lacks a key that is needed, or has another of its number.
    """
    await hold_to_commit(connection, Lock.ENCRYPTION_KEYS)
    needed = await needed_keys(connection)
    if not needed:
        needed = {vault.sealing: vault.fingerprints[vault.sealing]}
        await connection.execute(_FIRST, _row(vault, vault.sealing))
    refuse_missing(needed, vault.fingerprints)
    vault.seal_with(max(needed))


def refuse_missing(needed: Mapping[int, str], held: Mapping[int, str]) -> None:
    """Refuse keys that are not all that are needed.

    Raises:
        ConfigurationError: the text has the number of the first missing key.
    """
    for number, fingerprint in needed.items():
        if number not in held:
            raise ConfigurationError(
                f"the encryption key {number} is needed, and the secrets lack it"
            )
        if held[number] != fingerprint:
            raise ConfigurationError(
                f"the secrets have another encryption key {number} than the deployment"
            )


async def forget_silent(connection: AsyncConnection) -> None:
    """Forget the processes that have been silent for a day."""
    await connection.execute(_FORGET, {"old_s": FORGOTTEN_S})


async def note(
    connection: AsyncConnection, vault: Vault, node: str, further: Iterable[str] = ()
) -> int:
    """Note that a process runs and which keys it holds; return the number of the newest key.

    `further` are the keys beside those of the vault, as they are shown.
    """
    keys = [shown_key(number, each) for number, each in vault.fingerprints.items()]
    values = {"node": node, "keys": [*keys, *further], "sealing": vault.sealing}
    newest: int = (await connection.execute(_NOTE, values)).scalar_one()
    return newest


async def leave(connection: AsyncConnection, node: str) -> None:
    """Note that a process has ended."""
    await connection.execute(_LEAVE, {"node": node})


async def holders(connection: AsyncConnection) -> Sequence[KeyHolder]:
    """Return the processes that run."""
    rows = await connection.execute(_HOLDERS, {"silent_s": SILENT_S})
    return [KeyHolder(node=row.node, keys=frozenset(row.keys), sealing=row.sealing) for row in rows]


async def begin_use(connection: AsyncConnection, vault: Vault, number: int) -> Sequence[str]:
    """Make a key the newest one if every process that runs holds it.

    Returns the processes that lack the key; then nothing has changed. The key counts from the
    commit of the caller's transaction on.
    """
    await hold_to_commit(connection, Lock.ENCRYPTION_KEYS)
    wanted = shown_key(number, vault.fingerprints[number])
    lacking = [each.node for each in await holders(connection) if wanted not in each.keys]
    if not lacking:
        await connection.execute(_FIRST, _row(vault, number))
    return lacking


async def end_use(connection: AsyncConnection, newest: int) -> None:
    """Make the older keys needed no more, in the caller's transaction."""
    await hold_to_commit(connection, Lock.ENCRYPTION_KEYS)
    await connection.execute(delete(encryption_key).where(encryption_key.c.number < newest))


def shown_key(number: int, fingerprint: str) -> str:
    """Return a key as a holder notes it."""
    return f"{number}:{fingerprint}"


def _row(vault: Vault, number: int) -> dict[str, Any]:
    return {"number": number, "fingerprint": vault.fingerprints[number]}
