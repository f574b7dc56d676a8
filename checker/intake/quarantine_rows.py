"""Writes rejected lines of operations to quarantine, and the results of retries.

A line stands there whole and sealed. `checker.intake.quarantine` shows the lines and has them read
again. A file of junk must not fill the disk, so quarantine has bounds:

| bound                   | past it                                                            |
|-------------------------|--------------------------------------------------------------------|
| `REQUEST_LINES_MAX`     | the rest of the transfer is counted and reported, and not kept     |
| `ACCOUNT_LINES_MAX`     | the account's oldest lines are deleted                             |
| `ACCOUNT_BYTES_MAX`     | the same                                                           |
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import BigInteger, any_, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from checker.database.copying import copy_rows
from checker.database.engine import driver_errors
from checker.formats.operation import OPERATION
from checker.registry.entry import LineRejected, RejectCode
from checker.registry.operations import List, Operation
from checker.registry.schema import change, quarantine
from checker.registry.sealing import QUARANTINE_RAW, Sealer
from checker.registry.versions import ChangeKind

REQUEST_LINES_MAX: Final = 1_000
"""A person looks at some hundred lines. A transfer with more faults has one fault many times."""

ACCOUNT_LINES_MAX: Final = 10_000
ACCOUNT_BYTES_MAX: Final = 256 << 20
"""Ten transfers of the worst kind, at lines of 25 KB. A court's lines have 500 bytes."""

_COLUMNS = ("feed", "version", "format", "line", "code", "detail", "raw", "account_id")


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the feed `feed`: its number, its bytes, and the operation or rejection read from
    it.

    `raw` is empty if the line was too long. A line that is tried again has its id in quarantine in
    `quarantined`, and the same id as its number.
    """

    feed: str
    number: int
    raw: bytes
    read: Operation | LineRejected
    line_format: str = OPERATION.name
    quarantined: int | None = None


class LineVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a line. `rejected` is None if the line was accepted."""

    line: FeedLine
    rejected: LineRejected | None


async def settled(
    connection: AsyncConnection, lines: Sequence[FeedLine]
) -> dict[int, LineRejected | None]:
    """Return the retried lines that must not be applied any more, by their ids, with the reason.

    The reason is None if an earlier retry put the line in force; later changes of that listing
    stand. The caller holds `Lock.LIST_WRITER`, so no list is replaced in between.
    """
    retried = {line.quarantined: line for line in lines if line.quarantined is not None}
    if not retried:
        return {}
    rows = (await connection.execute(_STATE, {"wanted": list(retried)})).all()
    found: dict[int, LineRejected | None] = {}
    for row in rows:
        if row.resolved_version is not None:
            found[row.pk] = None
        elif row.version is None:
            text = "the whole transfer of this line was refused: send that again"
            found[row.pk] = LineRejected(RejectCode.SUPERSEDED, text)
        elif isinstance(retried[row.pk].read, List) and row.version < (row.replaced_at or 0):
            text = "a later snapshot has replaced the list that this line was sent to"
            found[row.pk] = LineRejected(RejectCode.SUPERSEDED, text)
    return found


async def keep_verdicts(
    connection: AsyncConnection,
    sealer: Sealer,
    verdicts: Sequence[LineVerdict],
    version: int | None,
    *,
    account_id: str | None = None,
    lines_max: int = REQUEST_LINES_MAX,
) -> int:
    """Keep the first `lines_max` rejected lines, and close the lines that a retry put in force.

    A retried line that is rejected again keeps its place and gets the new reason. Return the number
    of lines that are new in quarantine.
    """
    rows: list[tuple[object, ...]] = []
    resolved = []
    rejected_again = []
    for verdict in verdicts:
        line, error = verdict.line, verdict.rejected
        if error is None:
            if line.quarantined is not None:
                resolved.append(line.quarantined)
        elif line.quarantined is None:
            if len(rows) >= lines_max:
                continue
            text = line.raw.decode(errors="backslashreplace")
            raw = sealer.vault.seal(text, QUARANTINE_RAW, line.feed, str(line.number))
            place = (line.feed, version, line.line_format, line.number)
            row = (*place, error.code, error.detail, raw, account_id)
            rows.append(row)
        else:
            rejected_again.append(
                {"pk_": line.quarantined, "code": error.code, "detail": error.detail}
            )
    await copy_rows(connection, "quarantine", rows, _COLUMNS)
    if rejected_again:
        await connection.execute(_REJECTED_AGAIN, rejected_again)
    if resolved:
        await connection.execute(_RESOLVED, {"resolved": resolved, "by": version})
    return len(rows)


async def trim(
    engine: AsyncEngine,
    account_id: str | None,
    *,
    lines_max: int = ACCOUNT_LINES_MAX,
    bytes_max: int = ACCOUNT_BYTES_MAX,
) -> None:
    """Delete the oldest lines of an account past its bounds. None: the lines of commands.

    No writer waits for this behind a lock. If the process dies before, the next transfer deletes.

    Raises:
        Unavailable: PostgreSQL cannot be reached.
    """
    bounds = {"lines": lines_max, "bytes": bytes_max}
    with driver_errors():
        async with engine.begin() as connection:
            await connection.execute(_TRIM, {"account_id": account_id, **bounds})


_TRIM = text(
    """
    DELETE FROM quarantine USING (
        SELECT pk, row_number() OVER newest AS lines, sum(octet_length(raw)) OVER newest AS bytes
        FROM quarantine
        WHERE account_id IS NOT DISTINCT FROM CAST(:account_id AS text)
        WINDOW newest AS (ORDER BY pk DESC)
    ) AS counted
    WHERE counted.pk = quarantine.pk AND (counted.lines > :lines OR counted.bytes > :bytes)
    """
)

_replaced_at = (
    select(func.max(change.c.version)).where(change.c.kind != ChangeKind.CHANGES).scalar_subquery()
)
_STATE = select(
    quarantine.c.pk,
    quarantine.c.version,
    quarantine.c.resolved_version,
    _replaced_at.label("replaced_at"),
).where(quarantine.c.pk == any_(bindparam("wanted", type_=ARRAY(BigInteger))))
_RESOLVED = (
    update(quarantine)
    .where(quarantine.c.pk == any_(bindparam("resolved", type_=ARRAY(BigInteger))))
    .where(quarantine.c.resolved_version.is_(None))
    .values(resolved_version=bindparam("by"))
)
_REJECTED_AGAIN = (
    update(quarantine)
    .where(quarantine.c.pk == bindparam("pk_"))
    .values(code=bindparam("code"), detail=bindparam("detail"))
)
