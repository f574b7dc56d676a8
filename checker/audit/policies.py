"""Records the policies in use, so that an old decision is explained by the policy of its time."""

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
    """Record the policies that are new. Each process does so at its start, before it decides.

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
