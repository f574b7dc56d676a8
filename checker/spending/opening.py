"""Opens spending on a named database."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from cache.token_key import TokenKeys
from checker.database.engine import open_engine
from checker.database.gate import Gate
from checker.database.pulse import Pulse
from checker.domain.clock import Clock
from checker.group_commit import GROUPS_AT_ONCE
from checker.policy.book import PolicyBook
from checker.registry.sealing import Sealer
from checker.spending.postgres_store import PostgresSpendingStore
from checker.spending.spending import Authorizations

LOCK_TIMEOUT_MS = 1_500
"""Below the bound on a statement: PostgreSQL gives up first, and the connection stays good."""

FROZEN_AFTER_MS = 3_000
"""A process that stops inside a transaction loses the transaction and its locks after this time."""

POOL_SIZE = GROUPS_AT_ONCE + 3
"""The groups that are under way, the line that waits for locks, and two that read."""

SESSION_SETTINGS = {
    # Spending reads by keys alone. Without this setting PostgreSQL plans a statement that was
    # prepared on a new table as a scan of the whole table, and keeps that plan as the table grows.
    "enable_seqscan": "off",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": str(FROZEN_AFTER_MS),
}


@asynccontextmanager
async def open_spending(
    database_url: str,
    *,
    pooler_url: str | None,
    gate: Gate,
    pulse: Pulse,
    token_keys: TokenKeys,
    sealer: Sealer,
    policies: PolicyBook,
    clock: Clock,
) -> AsyncIterator[Authorizations]:
    """Open spending on connections of its own. Their transactions hold locks, and so end by
    themselves.
    """
    async with open_engine(
        database_url,
        pool_size=POOL_SIZE,
        settings=SESSION_SETTINGS,
        pulse=pulse,
        pooler_url=pooler_url,
        token_keys=token_keys,
    ) as engine:
        gate.guard(engine)
        store = PostgresSpendingStore(engine, sealer, clock)
        async with aclosing(
            Authorizations(store, sealer=sealer, policies=policies, clock=clock)
        ) as one:
            yield one
