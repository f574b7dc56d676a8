"""Corrections in PostgreSQL: finds, counts and writes them, and writes rulings."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, assert_never
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.audit.schema import decision
from checker.corrections.correction import (
    Concerned,
    Correction,
    CorrectionState,
    GroundCode,
    Ruling,
    effect_of,
)
from checker.corrections.journaled import journal_correction
from checker.corrections.schema import correction, correction_listing
from checker.domain.deadlines import DueBasis
from checker.registry.schema import listing
from checker.vault import Vault


class LatestListing(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that a correction needs of the latest row of a listing, in force or not."""

    id: str
    published_on: date | None
    public: bool


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that a correction needs of a kept decision, with the listings it rests on."""

    at: datetime
    account_id: str | None
    listing_ids: tuple[str, ...]


async def find_listings(
    connection: AsyncConnection, listing_ids: Iterable[str]
) -> list[LatestListing]:
    """Return the latest rows of listings, in no order. An id that was never listed has no row."""
    rows = await connection.execute(_LISTINGS, {"wanted": list(listing_ids)})
    return [
        LatestListing(id=row.id, published_on=row.published_on, public=row.public) for row in rows
    ]


async def find_decision(connection: AsyncConnection, decision_id: str) -> DecisionRow | None:
    """Return a kept decision, or None. An id that is no UUID is unknown."""
    known_by = canonical(decision_id)
    if known_by is None:
        return None
    row = (await connection.execute(_DECISION, {"id": known_by})).one_or_none()
    if row is None:
        return None
    shown = (reason["listing"] for reason in row.reasons)
    ids = dict.fromkeys(each["id"] for each in shown if each is not None)
    return DecisionRow(at=row.at, account_id=row.account_id, listing_ids=tuple(ids))


async def sealed_subject(connection: AsyncConnection, decision_id: str) -> bytes | None:
    """Return the sealed subject of a decision; None: the decision is gone, or has none."""
    of_decision = select(decision.c.subject).where(decision.c.id == decision_id)
    sealed: bytes | None = (await connection.execute(of_decision)).scalar_one_or_none()
    return sealed


async def find_request(connection: AsyncConnection, request: bytes) -> Correction | None:
    """Return the open correction with the same filer and the same words, or None."""
    return await _first(connection, _open & (correction.c.request == request))


async def find(connection: AsyncConnection, correction_id: str) -> Correction | None:
    """Return a correction, or None. An id that is no UUID is unknown."""
    known_by = canonical(correction_id)
    return None if known_by is None else await _first(connection, correction.c.id == known_by)


async def read_page(
    connection: AsyncConnection,
    shown: tuple[CorrectionState | None, date, ColumnElement[bool]],
    after: int,
    limit: int,
) -> tuple[Correction, ...]:
    """Return up to `limit` corrections behind the number `after`, oldest first.

    `shown` is a status, the day by which it holds, and a further condition.
    """
    status, today, condition = shown
    page = (
        select(*_COLUMNS)
        .where(correction.c.pk > after, condition, *_wanted(status, today))
        .order_by(correction.c.pk)
        .limit(limit)
    )
    return await _corrections(connection, (await connection.execute(page)).all())


async def read_words(
    connection: AsyncConnection, correction_id: str
) -> tuple[bytes, bytes, bytes | None]:
    """Return the sealed ground, contact and note of an existing correction."""
    words = select(correction.c.ground, correction.c.contact, correction.c.note)
    row = (await connection.execute(words.where(correction.c.id == correction_id))).one()
    return row.ground, row.contact, row.note


async def keyless_about(
    connection: AsyncConnection, decision_id: str | None, listing_ids: Sequence[str]
) -> int:
    """Return the number of open corrections without a key about this decision, or this listing."""
    if decision_id is not None:
        counting = select(func.count()).where(correction.c.decision_id == decision_id)
    else:
        counting = (
            select(func.count())
            .select_from(correction.join(correction_listing))
            .where(
                correction_listing.c.listing_id == any_(bindparam("ids", type_=ARRAY(Text))),
                correction.c.decision_id.is_(None),
            )
        )
    counting = counting.where(_open, _keyless)
    parameters = {"ids": list(listing_ids)} if decision_id is None else {}
    counted: int = (await connection.execute(counting, parameters)).scalar_one()
    return counted


async def keyless_since(
    connection: AsyncConnection, instant: datetime, *, by_decision: bool
) -> tuple[int, datetime | None]:
    """Return the number of corrections without a key since an instant, about decisions or about
    listings, and the instant of the first of them.
    """
    way = correction.c.decision_id
    counting = select(func.count(), func.min(correction.c.received_at)).where(
        _keyless,
        correction.c.received_at > instant,
        way.is_not(None) if by_decision else way.is_(None),
    )
    counted, first_at = (await connection.execute(counting)).one()
    return counted, first_at


async def count_open(connection: AsyncConnection, today: date) -> tuple[int, int]:
    """Return the number of open corrections, and how many of them are overdue."""
    counting = select(func.count(), func.count().filter(correction.c.due_on < today)).where(_open)
    waiting, overdue = (await connection.execute(counting)).one()
    return waiting, overdue


async def write(
    connection: AsyncConnection, vault: Vault, row: dict[str, Any], listing_ids: Iterable[str]
) -> None:
    """Write a new correction and its listings."""
    written = insert(correction).values(row).returning(correction.c.pk)
    number = (await connection.execute(written)).scalar_one()
    concerned = [{"correction_pk": number, "listing_id": each} for each in listing_ids]
    await connection.execute(insert(correction_listing), concerned)
    await journal_correction(connection, vault, number)


async def write_ruling(
    connection: AsyncConnection,
    vault: Vault,
    number: int,
    row: dict[str, Any],
    delisted: Sequence[str],
) -> bool:
    """Write the ruling on a correction. Return False, and write nothing, if there is a ruling."""
    ruling = update(correction).where(correction.c.pk == number, _open).values(row)
    if (await connection.execute(ruling)).rowcount == 0:
        return False
    if delisted:
        await connection.execute(_DELIST, {"number": number, "ids": list(delisted)})
    await journal_correction(connection, vault, number)
    return True


def canonical(identifier: str) -> str | None:
    """Return a UUID as the record writes it, or None if the text is no UUID."""
    try:
        return str(UUID(identifier))
    except ValueError:
        return None


def _wanted(status: CorrectionState | None, today: date) -> list[ColumnElement[bool]]:
    """Return the condition of a status. `open` includes the overdue corrections, so that they are
    seen.
    """
    match status:
        case None:
            return []
        case CorrectionState.OPEN:
            return [_open]
        case CorrectionState.OVERDUE:
            return [_open, correction.c.due_on < today]
        case CorrectionState.RULED:
            return [~_open]
        case _:
            assert_never(status)


async def _first(connection: AsyncConnection, wanted: ColumnElement[bool]) -> Correction | None:
    rows = (await connection.execute(select(*_COLUMNS).where(wanted))).all()
    found = await _corrections(connection, rows)
    return found[0] if found else None


async def _corrections(connection: AsyncConnection, rows: Sequence[Any]) -> tuple[Correction, ...]:
    if not rows:
        return ()
    concerned: dict[int, list[Concerned]] = {}
    for each in await connection.execute(_CONCERNED, {"wanted": [row.pk for row in rows]}):
        shown = Concerned(
            id=each.id,
            case_number=each.case_number,
            court=each.court,
            published_on=each.published_on,
            delisted=each.delisted,
        )
        concerned.setdefault(each.correction_pk, []).append(shown)
    return tuple(
        Correction(
            number=row.pk,
            id=row.id,
            received_on=row.received_on,
            due_on=row.due_on,
            due_basis=None if row.due_basis is None else DueBasis(row.due_basis),
            provisional=row.provisional,
            late=row.late,
            account_id=row.account_id,
            decision_id=row.decision_id,
            ground_code=None if row.ground_code is None else GroundCode(row.ground_code),
            ruling=None if row.ruling is None else Ruling(row.ruling),
            effect=effect_of(row.ruling, row.effect),
            ruled_at=row.ruled_at,
            version=row.version,
            listings=tuple(concerned[row.pk]),
        )
        for row in rows
    )


_open = correction.c.ruling.is_(None)
_keyless = correction.c.account_id.is_(None)
_WORDS = {"request", "received_at", "ground", "contact", "note", "ruled_by"}
_COLUMNS = tuple(column for column in correction.c if column.name not in _WORDS)
_LISTINGS = (
    select(listing.c.id, listing.c.published_on, listing.c.public)
    .ext(distinct_on(listing.c.id))
    .where(listing.c.id == any_(bindparam("wanted", type_=ARRAY(Text))))
    .order_by(listing.c.id, listing.c.from_version.desc())
)
_DECISION = select(decision.c.at, decision.c.account_id, decision.c.reasons).where(
    decision.c.id == bindparam("id")
)
_CONCERNED = (
    select(
        correction_listing.c.correction_pk,
        correction_listing.c.delisted,
        listing.c.id,
        listing.c.case_number,
        listing.c.court,
        listing.c.published_on,
    )
    .ext(distinct_on(correction_listing.c.correction_pk, listing.c.id))
    .join_from(correction_listing, listing, listing.c.id == correction_listing.c.listing_id)
    .where(correction_listing.c.correction_pk == any_(bindparam("wanted", type_=ARRAY(BigInteger))))
    .order_by(correction_listing.c.correction_pk, listing.c.id, listing.c.from_version.desc())
)
_DELIST = (
    update(correction_listing)
    .where(
        correction_listing.c.correction_pk == bindparam("number"),
        correction_listing.c.listing_id == any_(bindparam("ids", type_=ARRAY(Text))),
    )
    .values(delisted=True)
)
