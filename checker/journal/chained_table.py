"""A chained table: each link is a digest of the link before it and of one row.

    digest(n) = digest_of(digest(n-1), row(n))      digest(0) = 32 zero bytes

So nobody changes, drops or inserts a row without a fault in a later link. A row waits for its link
for a moment: no answer waits for a link, and writers never wait for each other. The order of links
is the order in which the rows began to wait.

Two tables are chained in this way: the journal (`checker.journal.chain`) and the decisions
(`checker.audit.chain`). Each of them knows which rows wait, how a row is digested and where its
link is kept.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.engine import driver_errors
from checker.database.locks import Lock, hold_to_commit
from checker.journal.faults import Faults
from checker.vault import LINK_BYTES

BATCH_LINKS: Final = 1_000
"""Links that are made in one transaction."""

NO_LINK: Final = bytes(LINK_BYTES)
"""The digest before the first link."""

Row = TypeVar("Row")


class ChainHead(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a chain, as a rule the newest: its number, 0 where there is none, and digest."""

    number: int
    digest: bytes


NO_HEAD: Final = ChainHead(number=0, digest=NO_LINK)
"""The head of an empty chain."""


class ChainedTable:
    """The two columns in which a table keeps the links of its chain."""

    def __init__(self, *, number: ColumnElement[Any], digest: ColumnElement[Any]) -> None:
        links = select(number.label("number"), digest.label("digest"))
        self._number = number
        self._newest = links.where(number.is_not(None)).order_by(number.desc()).limit(1)
        self._links = links

    async def read_head(self, connection: AsyncConnection) -> ChainHead:
        """Return the newest link, or `NO_HEAD` where there is no link."""
        row = (await connection.execute(self._newest)).one_or_none()
        return NO_HEAD if row is None else ChainHead(number=row.number, digest=row.digest)

    async def holds(self, connection: AsyncConnection, noted: ChainHead) -> bool:
        """Return whether a head that was noted earlier is still a link of the chain."""
        wanted = self._links.where(self._number == noted.number)
        row = (await connection.execute(wanted)).one_or_none()
        return noted == NO_HEAD if row is None else bool(row.digest == noted.digest)


async def extend_chain(
    engine: AsyncEngine,
    table: ChainedTable,
    *,
    take: Callable[[AsyncConnection], Awaitable[Sequence[Row]]],
    digest_of: Callable[[bytes, Row], bytes],
    put: Callable[[AsyncConnection, Sequence[Row], Sequence[ChainHead]], Awaitable[None]],
) -> int:
    """Make links for all rows that wait, and return the number of links.

    `take` returns up to `BATCH_LINKS` of the rows that wait, in their order, and `put` writes the
    links of these rows. `engine` is one without a bound on statements.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    made = 0
    with driver_errors():
        while True:
            async with engine.begin() as connection:
                await hold_to_commit(connection, Lock.CHAIN)
                rows = await take(connection)
                if rows:
                    head = await table.read_head(connection)
                    await put(connection, rows, links_behind(head, rows, digest_of))
            made += len(rows)
            if len(rows) < BATCH_LINKS:
                return made


def links_behind(
    head: ChainHead, rows: Sequence[Row], digest_of: Callable[[bytes, Row], bytes]
) -> list[ChainHead]:
    """Return the links of rows, in their order, that follow `head`."""
    links = []
    for row in rows:
        head = ChainHead(number=head.number + 1, digest=digest_of(head.digest, row))
        links.append(head)
    return links


class ChainWalk:
    """Follows the links of a chain in their order, and adds a fault for each break.

    Each link is verified against the link before it as that stands. So one break does not hide the
    next, and each break is named with its place.
    """

    def __init__(self, head: ChainHead, faults: Faults, *, chain: str = "") -> None:
        self.head = head
        self.links = 0
        self._faults = faults
        self._chain = chain

    def follow(self, link: ChainHead, fault_behind: Callable[[bytes], str | None]) -> None:
        """Go on to the next link.

        `fault_behind` gets the digest of the link before, and returns the fault of this link or
        None. Behind a gap it is not called.
        """
        if link.number != self.head.number + 1:
            span = f"{self.head.number + 1} to {link.number - 1}"
            self._faults.add(f"links {span}{self._chain} are missing")
        elif fault := fault_behind(self.head.digest):
            self._faults.add(fault)
        self.head = link
        self.links += 1
