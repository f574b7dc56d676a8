"""The decision log for auditors, row by row: NDJSON or CSV, by time and account.

The log is read in pages by id, each on a connection of its own, so that an export of any length
holds neither a transaction nor memory. Ids sort by time. A row that is committed after its page was
read is missing only if the export reaches into the present.
"""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Select, Text, cast, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.audit.schema import chain_link, decision, reported_outcome
from checker.database.engine import driver_errors, fetch
from checker.domain.clock import InstantText, instant_text

PAGE_ROWS: Final = 1_000
_FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"
_ACCOUNT_NAMES: Final = "SELECT id, name FROM account WHERE id = ANY(:ids)"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""The first characters by which a spreadsheet takes a cell for a formula."""


class ExportFormat(StrEnum):
    """The format of the rows."""

    NDJSON = "ndjson"
    CSV = "csv"


class ExportedDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the log. `number` and `digest` are its link's, null until it is chained.

    `account_id` is null for a check on the command line. `outcomes` come in the order of the
    reports.
    """

    number: int | None
    digest: str | None
    id: str
    at: InstantText
    account_id: str | None
    account: str | None
    service: str
    jurisdiction: str
    decision: str
    codes: tuple[str, ...]
    measures: tuple[str, ...]
    roles: tuple[str, ...]
    listings: tuple[str, ...]
    permit_id: str | None
    list_version: int
    policy: str | None
    outcomes: tuple[str, ...]


class ExportedRange(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions to export: made in `[since, until)`, of one account or of all."""

    since: datetime | None
    until: datetime | None
    account_id: str | None


async def export(
    engine: AsyncEngine, wanted: ExportedRange, form: ExportFormat
) -> AsyncIterator[bytes]:
    """Yield the rows as bytes in the order of their ids, a page at a time. CSV begins with its
    header.

    Raises:
        Unavailable: PostgreSQL is away. The rows so far are not the whole.
    """
    if form is ExportFormat.CSV:
        yield _csv([ExportedDecision.__struct_fields__])
    after = _FIRST_ID
    while page := await _read(engine, wanted, after):
        after = page[-1].id
        yield _written(page, form)


async def _read(
    engine: AsyncEngine, wanted: ExportedRange, after: str
) -> Sequence[ExportedDecision]:
    with driver_errors():
        rows = await fetch(engine, _page(wanted).where(decision.c.id > after))
        ids = {row["account_id"] for row in rows if row["account_id"] is not None}
        named = await fetch(engine, text(_ACCOUNT_NAMES), {"ids": list(ids)})
    names = {row["id"]: row["name"] for row in named}
    return [_exported(row, names.get(row["account_id"])) for row in rows]


def _page(wanted: ExportedRange) -> Select[Any]:
    outcomes = (
        select(
            func.array_agg(aggregate_order_by(reported_outcome.c.outcome, reported_outcome.c.pk))
        )
        .where(reported_outcome.c.decision_id == decision.c.id)
        .scalar_subquery()
    )
    page = (
        select(
            decision,
            cast(decision.c.id, Text).label("text_id"),
            chain_link.c.number,
            chain_link.c.digest,
            outcomes.label("outcomes"),
        )
        .join_from(
            decision,
            chain_link,
            (chain_link.c.decision_id == decision.c.id) & chain_link.c.reported_pk.is_(None),
            isouter=True,
        )
        .order_by(decision.c.id)
        .limit(PAGE_ROWS)
    )
    if wanted.since is not None:
        page = page.where(decision.c.at >= wanted.since)
    if wanted.until is not None:
        page = page.where(decision.c.at < wanted.until)
    if wanted.account_id is not None:
        page = page.where(decision.c.account_id == wanted.account_id)
    return page


def _exported(row: Any, account: str | None) -> ExportedDecision:
    reasons = row["reasons"]
    return ExportedDecision(
        number=row["number"],
        digest=None if row["digest"] is None else row["digest"].hex(),
        id=row["text_id"],
        at=instant_text(row["at"]),
        account_id=row["account_id"],
        account=account,
        service=row["service"],
        jurisdiction=row["jurisdiction"],
        decision=row["outcome"],
        codes=_each(reasons, "code"),
        measures=_each(reasons, "measure"),
        roles=_each(reasons, "role"),
        listings=tuple(row["listings"]),
        permit_id=row["permit_id"],
        list_version=row["list_version"],
        policy=None if row["policy"] is None else row["policy"].hex(),
        outcomes=tuple(row["outcomes"] or ()),
    )


def _each(reasons: Sequence[dict[str, str | None]], field: str) -> tuple[str, ...]:
    """Return the values of a field over all reasons, but null, each once and in their order."""
    values = [value for reason in reasons if (value := reason[field]) is not None]
    return tuple(dict.fromkeys(values))


def _written(page: Sequence[ExportedDecision], form: ExportFormat) -> bytes:
    if form is ExportFormat.NDJSON:
        return b"".join(msgspec.json.encode(row) + b"\n" for row in page)
    return _csv([[_cell(value) for value in msgspec.structs.astuple(row)] for row in page])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)  # RFC 4180
    return file.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a value as a cell: several values with spaces between, and no formula."""
    text = " ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
