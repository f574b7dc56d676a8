"""The token keys that a deployment needs, and the one under which PostgreSQL has its tokens.

A process joins a deployment only with all token keys that are needed, and uses the current one. A
further key is needed as soon as every process that runs holds it, as in `checker.rotation.key_use`.
It becomes the current one with the swap (`checker.rotation.token_swap`).
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token_key import FIRST_KEY, TokenKeys
from checker.database.locks import Lock, hold_to_commit
from checker.database.token_fence import FENCE
from checker.errors import ConfigurationError
from checker.rotation.key_use import holders, shown_key
from checker.rotation.schema import token_key

_KEYS = select(token_key).order_by(token_key.c.number)
_ADD = text(
    "INSERT INTO token_key (number, fingerprint, added_at, current_from) VALUES (:number,"
    " :fingerprint, clock_timestamp(), CASE WHEN :is_current THEN clock_timestamp() END)"
    " ON CONFLICT (number) DO NOTHING"
)


class TokenKeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """The fingerprints of the token keys that are needed, by number, and the current number."""

    needed: Mapping[int, str]
    current: int

    @property
    def newest(self) -> int:
        """The number of the key that comes, or of the current one."""
        return max(self.needed)


async def token_key_use(connection: AsyncConnection) -> TokenKeyUse | None:
    """Return the use of the token keys; None: the deployment has not begun."""
    rows = (await connection.execute(_KEYS)).all()
    if not rows:
        return None
    return TokenKeyUse(
        needed={row.number: row.fingerprint for row in rows},
        current=max(row.number for row in rows if row.current_from is not None),
    )


async def adopt_token_keys(connection: AsyncConnection, keys: TokenKeys) -> None:
    """Verify that a process holds all token keys that are needed, and use the current one.

    A deployment that begins uses the newest key that its first process holds. The lock is held
    until the caller's transaction ends.

    Raises:
        ConfigurationError: a key is missing, or another key has its number.
    """
    await hold_to_commit(connection, Lock.ENCRYPTION_KEYS)
    use = await token_key_use(connection)
    if use is None:
        number = max(keys.fingerprints)
        await _add(connection, keys, number, is_current=True)
        if number != FIRST_KEY:
            await connection.execute(
                text(f"ALTER TABLE {FENCE}{FIRST_KEY} RENAME TO {FENCE}{number}")
            )
        keys.use(number)
        return
    for number, fingerprint in use.needed.items():
        held = keys.numbered(number)
        if held is None:
            raise ConfigurationError(f"the token key {number} is needed, and the secrets lack it")
        if held.fingerprint != fingerprint:
            raise ConfigurationError(
                f"the secrets have another token key {number} than the deployment"
            )
    keys.use(use.current)


async def begin_token_key(
    connection: AsyncConnection, keys: TokenKeys, number: int
) -> Sequence[str]:
    """Let a token key be needed if every process that runs holds it.

    Returns the processes that lack the key; then nothing has changed.
    """
    await hold_to_commit(connection, Lock.ENCRYPTION_KEYS)
    wanted = shown_token_key(number, keys.fingerprints[number])
    lacking = [each.node for each in await holders(connection) if wanted not in each.keys]
    if not lacking:
        await _add(connection, keys, number, is_current=False)
    return lacking


async def end_token_keys(connection: AsyncConnection, current: int) -> None:
    """Make the token keys before the current one needed no more, in the caller's transaction."""
    await hold_to_commit(connection, Lock.ENCRYPTION_KEYS)
    await connection.execute(delete(token_key).where(token_key.c.number < current))


def shown_token_key(number: int, fingerprint: str) -> str:
    """Return a token key as a holder notes it."""
    return f"token {shown_key(number, fingerprint)}"


async def _add(
    connection: AsyncConnection, keys: TokenKeys, number: int, *, is_current: bool
) -> None:
    row = {"number": number, "fingerprint": keys.fingerprints[number], "is_current": is_current}
    await connection.execute(_ADD, row)
