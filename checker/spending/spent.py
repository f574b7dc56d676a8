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
    connection: AsyncConnection, asked: Sequence[tuple[Sequence[Token], Cap]], now: datetime
) -> list[SpentInPeriod]:
    """Return the spending of persons under a cap, in the period around `now`.

    A person is known by the tokens of one document or of several. All documents that are bound to
    one of them count. A hold whose time is over does not count.
    """
    each_token = [
        (place, token, cap) for place, (tokens, cap) in enumerate(asked, 1) for token in tokens
    ]
    parameters = {
        "places": [place for place, _, _ in each_token],
        "tokens": [token for _, token, _ in each_token],
        "counters": [cap.counter for _, _, cap in each_token],
        "since": [shanghai_day(period_start(cap.period, now)) for _, _, cap in each_token],
        "until": [shanghai_day(period_end(cap.period, now)) for _, _, cap in each_token],
        "now": now,
    }
    rows = (await connection.execute(READ_SPENT, parameters)).all()
    found = {
        row.place: SpentInPeriod(held_fen=row.held_fen, captured_fen=row.captured_fen)
        for row in rows
    }
    return [found.get(place, SpentInPeriod()) for place in range(1, len(asked) + 1)]
