"""Writes down the policies that are judged by, so that an old decision is explained by its own."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.audit.schema import policy
from checker.database.engine import driver_errors
from checker.domain.effective_policy import EffectivePolicy


async def record_policies(
    engine: AsyncEngine, policies: Iterable[EffectivePolicy], now: datetime
) -> None:
    """Write down those that are new; each start does, before it decides anything.

    Raises:
        Unavailable: PostgreSQL is away.
    """
    rows = [
        {"digest": each.digest, "content": msgspec.json.decode(each.content), "first_at": now}
        for each in policies
    ]
    with driver_errors():
        async with engine.begin() as connection:
            await connection.execute(insert(policy).on_conflict_do_nothing(), rows)
