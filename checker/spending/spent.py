"""Reads how much persons have spent, for decisions about a sale that holds nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.database.token_column import KeyWatch
from checker.domain.clock import period_start, shanghai_day
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.settings import Cap
from checker.registry.document_key import DocumentKey
from checker.spending.balance import Balances, DayTotal
from checker.spending.bindings import Bindings
from checker.spending.statements import READ_BINDINGS, READ_COUNTED
from checker.vault import Vault


class SpentInPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """The amounts in fen that a person has held and captured in one period on one counter."""

    held_fen: int = 0
    captured_fen: int = 0


async def read_spent(
    connection: AsyncConnection,
    vault: Vault,
    asked: Sequence[tuple[Iterable[DocumentKey], Cap]],
    now: datetime,
) -> list[SpentInPeriod]:
    """Return the spending of persons under a cap, in the period around `now`.

    A person is known by one document or by several, as they count (`checker.spending.persons`). All
    documents that are bound to one of them count. A hold whose time is over does not count.

    Without a transaction, the caller compares the token key with the registry's afterwards.

    Raises:
        TokenKeyReplaced: the process has had another token key meanwhile.
    """
    persons = [frozenset(documents) for documents, _ in asked]
    tokens = {each.token for person in persons for each in person}
    watch = KeyWatch(connection)
    rows = (await connection.execute(READ_BINDINGS, {"tokens": list(tokens)})).all()
    watch.require()
    bindings = Bindings(rows, vault)
    persons = [bindings.person(person) for person in persons]
    parameters = {
        "tokens": list({each.token for person in persons for each in person}),
        "counters": list({cap.counter for _, cap in asked}),
        "since": min(shanghai_day(period_start(cap.period, now)) for _, cap in asked),
        "now": now,
    }
    counted = (await connection.execute(READ_COUNTED, parameters)).all()
    watch.require()
    balances = Balances(map(_total, counted))
    rooms = [
        balances.room(person, cap, now) for person, (_, cap) in zip(persons, asked, strict=True)
    ]
    return [SpentInPeriod(held_fen=room.held_fen, captured_fen=room.captured_fen) for room in rooms]


def _total(row: Any) -> DayTotal:
    """Return a row of `READ_COUNTED`; a hold whose time is over takes its amount back."""
    return DayTotal(
        document=DocumentKey(Token(row.token), row.issuer),
        counter=Jurisdiction(row.counter),
        day=row.day,
        held_fen=row.held_fen if row.lapsed_id is None else -row.held_fen,
        captured_fen=row.captured_fen,
    )
