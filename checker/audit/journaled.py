"""The audit's entries in the journal: removals of months, and heads of the decisions' chain.

Links of decisions have no key, so that an auditor can verify them without one. So the keeper enters
the newest link in the journal, which has a key, in every minute with a new decision. A chain that
somebody makes anew does not hold the heads that were entered before.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.audit.chain import DECISION_CHAIN
from checker.audit.kept import what_is_kept
from checker.audit.schema import removal
from checker.database.engine import driver_errors
from checker.journal.chained_table import ChainHead
from checker.journal.content import content_digest
from checker.journal.entries import Area, Named, write_entries
from checker.journal.faults import Faults
from checker.journal.kinds import Kind, each_digested
from checker.journal.verification import pages
from checker.vault import Vault

REMOVAL: Final = "removal"
HEAD: Final = "decisions-head"

HEADS_INTERVAL: Final = timedelta(minutes=1)
"""Half a million entries a year at most. Decisions of the last minute could be made anew unseen."""

_REMOVALS: Final = (
    "SELECT CAST(pk AS text) AS key, CAST(0 AS bigint) AS version, removal.* FROM removal"
)
_ENTERED: Final = text(
    """
    SELECT CAST(substr(row.key, CAST(:behind AS integer)) AS bigint) AS number, row.digest,
           chain_link.digest AS link
    FROM journal CROSS JOIN LATERAL unnest(keys, digests) AS row(key, digest)
    LEFT JOIN chain_link
      ON chain_link.number = CAST(substr(row.key, CAST(:behind AS integer)) AS bigint)
    WHERE area = CAST(:area AS text) AND starts_with(row.key, CAST(:prefix AS text))
    ORDER BY 1
    """
)


class DecisionHeads:
    """Enters heads of the decisions' chain. `engine` is one without a bound on statements."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._entered = 0
        self._next_at: datetime | None = None

    async def enter(self, now: datetime) -> None:
        """Enter the newest link, if it is due and there is a newer one. Raises Unavailable."""
        if self._next_at is not None and now < self._next_at:
            return
        with driver_errors():
            async with self._engine.begin() as connection:
                head = await DECISION_CHAIN.read_head(connection)
                if head.number > self._entered:
                    named = [Named(HEAD, str(head.number), _head_digest(self._vault, head))]
                    await write_entries(connection, self._vault, Area.AUDIT, named)
        self._entered = head.number
        self._next_at = now + HEADS_INTERVAL


async def journal_removal(connection: AsyncConnection, vault: Vault, row: Any) -> None:
    """Enter the removal of a month."""
    named = [Named(REMOVAL, str(row["pk"]), _removal_digest(vault, row))]
    await write_entries(connection, vault, Area.AUDIT, named)


def audit_kinds(vault: Vault) -> tuple[Kind, ...]:
    """Return the kinds of rows of the audit: removals of months."""
    digests = each_digested(lambda row: _removal_digest(vault, row._mapping))
    return (Kind(area=Area.AUDIT, name=REMOVAL, rows=_REMOVALS, digests=digests),)


async def verify_heads(connection: AsyncConnection, vault: Vault, faults: Faults) -> None:
    """Verify that the decisions' chain still holds every head that was entered.

    Heads of links that went with their month are ignored.
    """
    kept = await what_is_kept(connection)
    prefix = f"{HEAD} "
    parameters = {"area": Area.AUDIT.value, "prefix": prefix, "behind": len(prefix) + 1}
    async for page in pages(connection, _ENTERED.bindparams(**parameters)):
        for row in page:
            if row.number < kept.first_link:
                continue
            head = ChainHead(number=row.number, digest=row.link or b"")
            if _head_digest(vault, head) != row.digest:
                faults.add(f"link {row.number} of the decisions: it is not the one of its time")


def _head_digest(vault: Vault, head: ChainHead) -> bytes:
    content = {"number": head.number, "digest": head.digest}
    return content_digest(vault.digest, HEAD, content)


def _removal_digest(vault: Vault, row: Any) -> bytes:
    content = {column.name: row[column.name] for column in removal.c}
    return content_digest(vault.digest, REMOVAL, content)
