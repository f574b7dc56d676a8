"""Reads how much persons have spent, for decisions about a sale that holds nothing."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.domain.clock import period_end, period_start, shanghai_day
from checker.domain.settings import Cap
from checker.spending.statements import READ_SPENT


class SpentInPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """The amounts in fen that a person has held and captured in one period on one counter."""

    held_fen: int = 0
    captured_fen: int = 0


async def read_spent(
    connection: AsyncConnection, asked: Sequence[tuple[Token, Cap]], now: datetime
) -> list[SpentInPeriod]:
    """Return the spending of the persons behind documents under a cap, in the period around `now`.

    All documents that are bound together count. A hold whose time is over does not count.
    """
    parameters = {
        "tokens": [token for token, _ in asked],
        "counters": [cap.counter for _, cap in asked],
        "since": [shanghai_day(period_start(cap.period, now)) for _, cap in asked],
        "until": [shanghai_day(period_end(cap.period, now)) for _, cap in asked],
        "now": now,
    }
    rows = (await connection.execute(READ_SPENT, parameters)).all()
    found = {
        row.place: SpentInPeriod(held_fen=row.held_fen, captured_fen=row.captured_fen)
        for row in rows
    }
    return [found.get(place, SpentInPeriod()) for place in range(1, len(asked) + 1)]
