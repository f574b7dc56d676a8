"""Writes lines of operations that were not accepted to quarantine, and what became of a retry.

A line stands there whole and sealed. Who looks at them, and has them read again, is
`checker.registry.quarantine`.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import BigInteger, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.copying import copy_rows
from checker.registry.entry import LineRejected, RejectCode
from checker.registry.operations import List, Operation
from checker.registry.publication import ChangeKind
from checker.registry.schema import change, quarantine
from checker.registry.sealing import QUARANTINE_RAW, Sealer

OPERATIONS: Final = "changes"
"""The format of a line that is an operation; others are those of `FeedFormat`."""

_COLUMNS = ("feed", "version", "format", "line", "code", "detail", "raw")


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the feed `feed`: its number, as it came, and what was read of it.

    `raw` is empty where it was too long. `quarantined` is its id in quarantine, if it is one that
    is tried again; then it is its number too.
    """

    feed: str
    number: int
    raw: bytes
    read: Operation | LineRejected
    line_format: str = OPERATIONS
    quarantined: int | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line; not set: it was accepted."""

    line: FeedLine
    rejected: LineRejected | None


async def settled(
    connection: AsyncConnection, lines: Sequence[FeedLine]
) -> dict[int, LineRejected | None]:
    """Tell of retried lines, by their ids, that must not be applied any more, and why.

    None: a retry has put it in force before, and what has happened to it since stands. The caller
    holds `Lock.LIST_WRITER`, so that no list is replaced in between.
    """
    retried = {line.quarantined: line for line in lines if line.quarantined is not None}
    if not retried:
        return {}
    rows = (await connection.execute(_STATE, {"wanted": list(retried)})).all()
    told: dict[int, LineRejected | None] = {}
    for row in rows:
        if row.resolved_version is not None:
            told[row.pk] = None
        elif row.version is None:
            text = "the whole transfer of this line was refused: send that again"
            told[row.pk] = LineRejected(RejectCode.SUPERSEDED, text)
        elif isinstance(retried[row.pk].read, List) and row.version < (row.replaced_at or 0):
            text = "a later snapshot has replaced the list that this line was sent to"
            told[row.pk] = LineRejected(RejectCode.SUPERSEDED, text)
    return told


async def keep_verdicts(
    connection: AsyncConnection, sealer: Sealer, verdicts: Sequence[Verdict], version: int | None
) -> None:
    """Keep rejected lines, and close the ones that a retry put in force with `version`.

    A retried line that was rejected again stays where it is, with the reason of now.
    """
    rows = []
    resolved = []
    rejected_again = []
    for verdict in verdicts:
        line, error = verdict.line, verdict.rejected
        if error is None:
            if line.quarantined is not None:
                resolved.append(line.quarantined)
        elif line.quarantined is None:
            raw = sealer.vault.seal(line.raw.decode(errors="backslashreplace"), QUARANTINE_RAW)
            place = (line.feed, version, line.line_format, line.number)
            row = (*place, error.code, error.detail, raw)
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
