"""Verifies the journal, and the rows that it names.

Three steps, all in one view of the database:

1. Every entry is the service's own, stands in the chain once, and follows the entry before it.
2. The rows of each kind are exactly those that entries name: none is missing, none is added.
3. Every row has the content that its entry digested.

PostgreSQL compares keys and sorts on its disk. This process holds one page of rows at a time.
"""

import functools
from collections.abc import AsyncIterator, Sequence
from heapq import nsmallest
from math import inf
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.journal.chain import JOURNAL_CHAIN, link_after
from checker.journal.chained_table import NO_HEAD, ChainHead, ChainWalk
from checker.journal.entries import BEGINNING, NOTHING, Area, mac_of
from checker.journal.faults import FAULTS_SHOWN_MAX, Faults
from checker.journal.kinds import Kind
from checker.journal.schema import journal
from checker.vault import Vault

PAGE_ROWS: Final = 1_000
WORK_MEM: Final = "64MB"
"""Memory for comparing millions of keys. PostgreSQL keeps the rest in files."""

# PostgreSQL cannot guess how many rows an entry names. It would compare each with each.
_SETTINGS: Final = (f"work_mem = '{WORK_MEM}'", "enable_nestloop = off")

_entry = journal.c


class JournalVerification(msgspec.Struct, frozen=True, kw_only=True):
    """The number of verified rows, the newest link, the number of faults, and the first in words.

    `since` is when the journal began; older rows were entered as they stood. `waiting` entries have
    no link yet; the keeper makes it a moment later. `rows` has the number of rows of each kind.
    """

    since: str | None
    links: int
    head_number: int
    head_digest: str
    waiting: int
    rows: dict[str, int]
    fault_count: int
    faults: tuple[str, ...]


async def verify_journal(
    connection: AsyncConnection,
    vault: Vault,
    kinds: Sequence[Kind],
    *,
    faults: Faults,
    noted: ChainHead | None = None,
) -> JournalVerification:
    """Verify the journal and the rows of `kinds`, in the connection's view of the database.

    `noted` is a head that somebody wrote down earlier: it must still be a link. Faults that are in
    `faults` already come first. At most a hundred missing or added rows of each kind are counted.
    """
    for setting in _SETTINGS:
        await connection.execute(text(f"SET LOCAL {setting}"))
    head, waiting = await _follow(connection, vault, faults)
    for row in await connection.execute(_COPIES):
        faults.add(f"the journal has an entry {row.entries} times")
    if noted is not None and not await JOURNAL_CHAIN.holds(connection, noted):
        faults.add(f"link {noted.number} of the journal: its digest is not the one that was noted")
    counts = {}
    for kind in kinds:
        await _verify_presence(connection, kind, faults)
        counts[kind.name] = await _verify_contents(connection, kind, faults)
    await connection.execute(text("SET LOCAL enable_nestloop = on"))
    begun = (await connection.execute(_BEGUN)).scalars().all()
    if len(begun) > 1:
        faults.add("the journal was begun more than once")
    return JournalVerification(
        since=begun[0] if begun else None,
        links=head.number,
        head_number=head.number,
        head_digest=head.digest.hex(),
        waiting=waiting,
        rows=counts,
        fault_count=faults.count,
        faults=tuple(faults.first),
    )


async def _follow(
    connection: AsyncConnection, vault: Vault, faults: Faults
) -> tuple[ChainHead, int]:
    """Follow the links; return the newest link and the number of entries that wait for theirs."""
    walk = ChainWalk(NO_HEAD, faults, chain=" of the journal")
    waiting = 0
    ordered = select(journal).order_by(_entry.number.nulls_last(), _entry.pk)
    async for page in pages(connection, ordered):
        for entry in page:
            place = f"link {entry.number}" if entry.number else f"entry {entry.pk}"
            if mac_of(vault, entry._mapping) != entry.mac:
                faults.add(f"{place} of the journal: the service has not written it so")
            if entry.number is None:
                waiting += 1
                continue
            link = ChainHead(number=entry.number, digest=entry.link or b"")
            walk.follow(link, functools.partial(_fault_of_link, vault, entry))
    return walk.head, waiting


def _fault_of_link(vault: Vault, entry: Any, before: bytes) -> str | None:
    if link_after(vault, before, entry) == entry.link:
        return None
    return f"link {entry.number} of the journal does not follow the link before it"


async def _verify_presence(connection: AsyncConnection, kind: Kind, faults: Faults) -> None:
    statement = text(f"{_common_tables(kind)} {_PRESENCE}")
    for row in await connection.execute(statement, _parameters(kind)):
        of_change = f" of change {row.version}" if row.version else ""
        what = f"{kind.name} {row.key}{of_change}"
        if not row.stand:
            faults.add(f"{what}: link {row.first} of the journal names it, and it is missing")
        elif not row.entered:
            faults.add(f"{what}: no entry of the journal names it")
        else:
            faults.add(f"{what}: it stands {row.stand} times, and is entered {row.entered} times")


async def _verify_contents(connection: AsyncConnection, kind: Kind, faults: Faults) -> int:
    """Compare the content of each row with its entry, and return the number of rows.

    Rows come in no order, so that PostgreSQL need not sort them. The faults of the earliest entries
    are kept.
    """
    counted = 0
    found_at: list[tuple[float, int, str]] = []
    if kind.digests is None:
        return counted
    statement = text(f"{_common_tables(kind)} {_CONTENTS}").bindparams(**_parameters(kind))
    async for page in pages(connection, kind.typed(statement)):
        counted += len(page)
        found = await kind.digests(connection, page)
        for row, digest in zip(page, found, strict=True):
            if digest == row.entered_digest:
                continue
            of_change = f" of change {row.version}" if row.version else ""
            why = digest if isinstance(digest, str) else "it was changed"
            fault = f"{kind.name} {row.key}{of_change}: {why}"
            found_at.append((row.link_number or inf, row.version, fault))
        if len(found_at) > PAGE_ROWS:
            faults.count += len(found_at) - FAULTS_SHOWN_MAX
            found_at = nsmallest(FAULTS_SHOWN_MAX, found_at)
    for _, _, fault in sorted(found_at):
        faults.add(fault)
    return counted


async def pages(connection: AsyncConnection, statement: Any) -> AsyncIterator[Sequence[Any]]:
    """Yield the rows of a statement, a page at a time."""
    stream = await connection.stream(statement, execution_options={"yield_per": PAGE_ROWS})
    async for page in stream.partitions():
        yield page


def _common_tables(kind: Kind) -> str:
    """Return the common tables of both comparisons: the named rows, and the rows in the tables."""
    newest = _NEWEST_ENTERED if kind.is_state else _ALL_ENTERED
    return (
        f"WITH named AS NOT MATERIALIZED ({_NAMED}), entered AS ({newest}), stand AS ({kind.rows})"
    )


def _parameters(kind: Kind) -> dict[str, Any]:
    prefix = f"{kind.name} "
    parameters = {"area": kind.area.value, "prefix": prefix, "behind": len(prefix) + 1}
    return parameters | ({"nothing": NOTHING} if kind.is_state else {})


_NAMED = """
    SELECT substr(row.key, CAST(:behind AS integer)) AS key, coalesce(version, 0) AS version,
           row.digest, number, pk
    FROM journal CROSS JOIN LATERAL unnest(keys, digests) AS row(key, digest)
    WHERE area = CAST(:area AS text) AND starts_with(row.key, CAST(:prefix AS text))
    -- A fence: without statistics PostgreSQL would unnest the keys again for each row of a table.
    OFFSET 0
"""
_ALL_ENTERED = "SELECT key, version, digest, number FROM named"
_NEWEST_ENTERED = """
    SELECT key, CAST(0 AS bigint) AS version, digest, number
    FROM (SELECT DISTINCT ON (key) * FROM named ORDER BY key, number DESC NULLS FIRST, pk DESC) AS n
    WHERE digest <> CAST(:nothing AS bytea)
"""
_PRESENCE = f"""
    SELECT key, version, entered.entries AS entered, stand.entries AS stand, entered.first
    FROM (
        SELECT key, version, count(*) AS entries, min(number) AS first
        FROM entered GROUP BY key, version
    ) AS entered
    FULL JOIN (
        SELECT key, version, count(*) AS entries FROM stand GROUP BY key, version
    ) AS stand USING (key, version)
    WHERE entered.entries IS DISTINCT FROM stand.entries
    ORDER BY entered.first NULLS LAST, version, key
    LIMIT {FAULTS_SHOWN_MAX + 1}
"""  # noqa: S608 - our own number
_CONTENTS = """
    SELECT stand.*, entered.digest AS entered_digest, entered.number AS link_number
    FROM stand JOIN entered USING (key, version)
"""
_BEGUN = (
    select(func.substr(_entry["keys"][1], len(BEGINNING) + 2))
    .where(_entry.area == Area.AUDIT, func.starts_with(_entry["keys"][1], f"{BEGINNING} "))
    .order_by(_entry.number)
)
_COPIES = (
    select(func.count().label("entries"))
    .select_from(journal)
    .group_by(_entry.nonce)
    .having(func.count() > bindparam("once", 1))
    .limit(FAULTS_SHOWN_MAX)
)
