"""The keys that sign receipts, in PostgreSQL: made at the first start, and rotated later.

    key 1   signs ────────────┐ is published for years, for its receipts are evidence
    key 2        made ─ lead ─┴ signs ────────────┐ is published for years
    key 3                            made ─ lead ─┴ signs ───

A key is published as soon as it is made, and signs `lead` later. By then every node has the key,
and every verifier that fetches the published keys in time has it too. When a later key has taken
over, the next rotation destroys the private part of the old key. A stolen key is withdrawn: the key
is published no longer, and a new key signs at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from joserfc.jwk import OKPKey
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.errors import Conflict, NotFound
from checker.operators.action import ActionAuthor, OperatorAction
from checker.operators.entries import log_action
from checker.receipts.journaled import JWK_PLACE, journal_receipt_key, journal_withdrawn
from checker.receipts.schema import receipt_key
from checker.receipts.signature import kid_of, new_key, read_key, write_key
from checker.vault import Vault


class ReceiptKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, and the instant from which it signs until a later one takes over."""

    number: int
    kid: str
    key: OKPKey
    signs_from: datetime


async def make_first_key(engine: AsyncEngine, vault: Vault, now: datetime) -> None:
    """Make a key that signs at once, if the deployment has no key.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    with driver_errors():
        async with engine.begin() as connection:
            if (await connection.execute(select(receipt_key.c.number).limit(1))).first() is None:
                await _add(connection, vault, number=1, now=now, signs_from=now)


async def rotate(
    engine: AsyncEngine, vault: Vault, *, now: datetime, lead: timedelta, by: ActionAuthor
) -> ReceiptKey:
    """Make and return the next key, which is published now and signs after `lead`.

    The action of `by` is logged.

    Raises:
        Conflict: another rotation made a key at the same time.
        ConfigurationError: the keys were sealed by another deployment.
        Unavailable: PostgreSQL is away.
    """
    await make_first_key(engine, vault, now)
    with driver_errors():
        async with engine.begin() as connection:
            held = await read_keys(connection, vault)
            made = await _add_after(held, connection, vault, now=now, signs_from=now + lead)
            for each in held:
                ended_at = superseded_at(each, held)
                if each.key.is_private and ended_at is not None and ended_at <= now:
                    await _destroy_private_part(connection, vault, each)
            rotated = OperatorAction.ROTATE_RECEIPT_KEY
            await log_action(connection, vault, rotated, made.kid, by=by, at=now)
    return made


async def withdraw(
    engine: AsyncEngine, vault: Vault, *, kid: str, now: datetime, by: ActionAuthor
) -> ReceiptKey | None:
    """Remove a key, so that no receipt verifies by this key and no node signs by it.

    If the key signs now, make a new key that signs at once, and return the new key. Otherwise
    return None. The action of `by` is logged.

    Raises:
        NotFound: no key has this id.
        Conflict, ConfigurationError, Unavailable: as `rotate`.
    """
    with driver_errors():
        async with engine.begin() as connection:
            held = await read_keys(connection, vault)
            found = next((each for each in held if each.kid == kid), None)
            if found is None:
                raise NotFound("no key of receipts has this id")
            made = None
            if found is signing_key(held, now):
                made = await _add_after(held, connection, vault, now=now, signs_from=now)
            removed = delete(receipt_key).where(receipt_key.c.number == found.number)
            await connection.execute(removed)
            await journal_withdrawn(connection, vault, found.number)
            withdrawn = OperatorAction.WITHDRAW_RECEIPT_KEY
            await log_action(connection, vault, withdrawn, kid, by=by, at=now)
    return made


async def read_keys(connection: AsyncConnection, vault: Vault) -> list[ReceiptKey]:
    """Return all keys, oldest first.

    Raises:
        ConfigurationError: the keys were sealed by another deployment.
    """
    rows = await connection.execute(select(receipt_key).order_by(receipt_key.c.number))
    keys = [(row, read_key(vault.open(row.sealed_jwk, JWK_PLACE, str(row.number)))) for row in rows]
    return [
        ReceiptKey(number=row.number, kid=kid_of(key), key=key, signs_from=row.signs_from)
        for row, key in keys
    ]


def signing_key(keys: Sequence[ReceiptKey], now: datetime) -> ReceiptKey:
    """Return the key that signs now: the newest key whose `signs_from` is past."""
    able = [each for each in keys if each.key.is_private]
    assert able, "the first start makes one, and the newest keeps its private part"
    # This clock may run behind the clock of the process that made the first key.
    return next((each for each in reversed(able) if each.signs_from <= now), able[0])


def superseded_at(key: ReceiptKey, keys: Sequence[ReceiptKey]) -> datetime | None:
    """Return the instant at which a later key takes over; None: there is no later key."""
    later = [other.signs_from for other in keys if other.number > key.number]
    return min(later, default=None)


async def _add_after(
    held: Sequence[ReceiptKey],
    connection: AsyncConnection,
    vault: Vault,
    *,
    now: datetime,
    signs_from: datetime,
) -> ReceiptKey:
    """Add and return the next key behind the keys of the deployment."""
    number = held[-1].number + 1
    made = await _add(connection, vault, number=number, now=now, signs_from=signs_from)
    if made is None:
        raise Conflict("another rotation was faster; nothing was done by this one")
    return ReceiptKey(number=number, kid=kid_of(made), key=made, signs_from=signs_from)


async def _add(
    connection: AsyncConnection, vault: Vault, *, number: int, now: datetime, signs_from: datetime
) -> OKPKey | None:
    """Add and return a key under a number; None: another process has just added this number."""
    key = new_key()
    jwk = write_key(key, private=True)
    added = (
        insert(receipt_key)
        .values(
            number=number,
            sealed_jwk=vault.seal(jwk, JWK_PLACE, str(number)),
            created_at=now,
            signs_from=signs_from,
        )
        .on_conflict_do_nothing(index_elements=["number"])
        .returning(receipt_key.c.number)
    )
    if (await connection.execute(added)).first() is None:
        return None
    await journal_receipt_key(connection, vault, number, jwk=jwk, signs_from=signs_from)
    return key


async def _destroy_private_part(connection: AsyncConnection, vault: Vault, key: ReceiptKey) -> None:
    jwk = write_key(key.key, private=False)
    sealed = vault.seal(jwk, JWK_PLACE, str(key.number))
    await connection.execute(
        update(receipt_key).where(receipt_key.c.number == key.number).values(sealed_jwk=sealed)
    )
    await journal_receipt_key(connection, vault, key.number, jwk=jwk, signs_from=key.signs_from)
