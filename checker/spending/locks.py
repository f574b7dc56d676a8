"""Locks the persons and idempotency keys of orders, and reads what changes only behind the locks.

A person is locked by every document that is bound to the person. A lock is held until the
transaction ends.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.database.outages import own_error
from checker.spending.bindings import Bindings
from checker.spending.statements import LOCK, READ_BEHIND_LOCKS, READ_GROUPS, TRY_LOCK
from checker.spending.store import LocksHeld, WantedSpending
from checker.vault import Vault


class Regrouped(Exception):
    """Documents were bound to a person while the locks were taken."""


class LockedOrders(msgspec.Struct, frozen=True, kw_only=True):
    """The orders behind their locks: `wanted` is without the orders that are set aside.

    `bindings` has the documents of the persons. `answers` has the rows of the answers that are kept
    under the keys.
    """

    wanted: WantedSpending
    set_aside: frozenset[int]
    bindings: Bindings
    answers: Sequence[Row[Any]]


async def lock_orders(
    connection: AsyncConnection, wanted: WantedSpending, vault: Vault, waits: bool
) -> LockedOrders:
    """Lock the orders. With `waits` False, set aside the orders whose locks are not free.

    Raises:
        LocksHeld: a lock was not released in time (with `waits`).
        Regrouped: the transaction must begin again.
    """
    before = await _persons(connection, wanted)
    numbers = {place: before.numbers(wanted, place) for place in wanted.keys}
    held = await _take(connection, set().union(*numbers.values()), waits)
    set_aside = frozenset(place for place, each in numbers.items() if each & held)
    wanted = wanted.without(set_aside)
    rows: Sequence[Row[Any]] = ()
    if wanted.keys:
        rows = (await connection.execute(READ_BEHIND_LOCKS, _parameters(wanted))).all()
    bindings = Bindings((row for row in rows if row.asked is not None), vault)
    locked = {number for place in wanted.keys for number in numbers[place]}
    if not locked.issuperset(
        _number(token) for group in bindings.tokens.values() for token in group
    ):
        raise Regrouped
    return LockedOrders(
        wanted=wanted,
        set_aside=set_aside,
        bindings=bindings,
        answers=[row for row in rows if row.asked is None],
    )


class _Persons(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of each person by each token of an order, and the token of each authorization."""

    groups: Mapping[Token, set[Token]]
    tokens: Mapping[str, Token]

    def numbers(self, wanted: WantedSpending, place: int) -> set[int]:
        """Return the numbers of the locks of one order: of its key and of its person."""
        _, key = wanted.keys[place]
        authorize = wanted.authorizes.get(place)
        tokens: Sequence[Token] = ()
        if authorize is not None:
            tokens = authorize.check.subject.tokens
        elif (token := self.tokens.get(wanted.ids[place])) is not None:
            tokens = (token,)
        person = [each for token in tokens for each in self.groups[token]]
        return {_number(each) for each in (key, *person)}


async def _persons(connection: AsyncConnection, wanted: WantedSpending) -> _Persons:
    groups: dict[Token, set[Token]] = {}
    tokens = {}
    for row in await connection.execute(READ_GROUPS, _parameters(wanted)):
        groups.setdefault(Token(row.asked), set()).add(Token(row.source))
        if row.authorization_id is not None:
            tokens[str(row.authorization_id)] = Token(row.asked)
    return _Persons(groups=groups, tokens=tokens)


async def _take(connection: AsyncConnection, numbers: set[int], waits: bool) -> set[int]:
    """Take locks, and return the numbers of those that another transaction holds."""
    parameters = {"numbers": sorted(numbers)}
    if not waits:
        return {*(await connection.execute(TRY_LOCK, parameters)).scalars()}
    try:
        await connection.execute(LOCK, parameters)
    except DBAPIError as error:
        if isinstance(own_error(error), asyncpg.LockNotAvailableError):
            raise LocksHeld from error
        raise
    return set()


def _parameters(wanted: WantedSpending) -> dict[str, Any]:
    return {
        "tokens": [
            token for each in wanted.authorizes.values() for token in each.check.subject.tokens
        ],
        "ids": list(wanted.ids.values()),
        "accounts": [account_id for account_id, _ in wanted.keys.values()],
        "keys": [key for _, key in wanted.keys.values()],
    }


def _number(token: bytes) -> int:
    """Return the number of a token's lock. Two tokens with one lock only wait for each other."""
    return int.from_bytes(token[:8], "big", signed=True)
