"""Keeps outlines in step with the list: PostgreSQL computes them, in the layout of `outline`.

One statement serves one token and ten million, so that there is one truth of what the cache holds.
The statement packs every link with its kind, but not the measures that a retained link keeps, and
not the items of an order. An outline shows nothing of permits and fulfilments. So an outline may
only ever show more than there is. The markers of shapes (`checker.registry.shape_markers`) are
computed with the outlines.
"""

import functools
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Delete,
    FromClause,
    LargeBinary,
    Select,
    Text,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    table,
    text,
    union,
    union_all,
    values,
)
from sqlalchemy.dialects.postgresql import Insert, aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.database.token_column import TokenColumn
from checker.domain.listing_kind import ListingKind
from checker.domain.masking import ORGANIZATION_SHAPE, SHAPES
from checker.registry.in_force import all_documents, documents_of, links, reach
from checker.registry.outline import (
    ALWAYS,
    COMPLETE,
    DAY_ZERO,
    LINK_BYTES,
    LINKS_MAX,
    MASKED,
    NEVER,
    NUMBERS,
    ORDER,
    OVERFLOW,
)
from checker.registry.schema import directive, document, listing, outbox, outline
from checker.registry.sealing import ANY_SHAPE
from checker.registry.shape_markers import MARKER_OUTLINE, MARKERS

COMPUTE_ALL_FROM = 0.2
"""The changed share of the list from which on computing all is quicker than looking it up."""

WORK_MEM = "64MB"
"""For sorting millions of links; PostgreSQL's 4 MB would do it in a hundred files."""

_NUMBER_BYTES = 8
_TOUCHED_TABLE = "CREATE TEMPORARY TABLE touched (token bytea NOT NULL) ON COMMIT DROP"


async def refresh_outlines(
    connection: AsyncConnection, tokens: Collection[bytes], version: int
) -> int:
    """Compute the outlines of `tokens`, and of all bound to them, as the transaction sees the list.

    Return the number of outlines that changed. They are written to `outline` and, for the
    publisher, to `outbox` under `version`. The caller includes tokens that the change unbound.
    """
    if not tokens:
        return 0
    parameters = {"tokens": list(set(tokens)), "version": version}
    return (await connection.execute(_refresh(), parameters)).rowcount


async def refresh_after_snapshot(connection: AsyncConnection, version: int) -> None:
    """Compute the outlines of all persons on the listings and directives of a snapshot's change.

    A listing or directive belongs to the change if it begins or ends at `version`. A snapshot comes
    with a generation of its own, so nothing is written to `outbox`.
    """
    await connection.execute(text(f"SET LOCAL work_mem = '{WORK_MEM}'"))
    parameters = {"version": version}
    changed, listed = (await connection.execute(_changed_and_listed(), parameters)).one()
    if changed > COMPUTE_ALL_FROM * listed:
        await connection.execute(_refresh_all())
    else:
        await connection.execute(text(_TOUCHED_TABLE))
        await connection.execute(_touch(), parameters)
        await connection.execute(text("ANALYZE touched"))
        await connection.execute(_refresh_touched())
    # The same transaction reads them next, and autovacuum has seen nothing of it yet.
    await connection.execute(text("ANALYZE outline"))


def all_outlines() -> CompoundSelect[Any]:
    """The outline of every token, as the list makes it, and the markers of all shapes."""
    return union_all(_outlines(all_documents().subquery("reached")), _markers(document))


def _outlines_of(tokens: FromClause) -> tuple[CTE, CTE]:
    """The outlines of `tokens` and their markers, and the markers alone."""
    reaching = reach(tokens).cte("reaching")
    reached = documents_of(reaching).cte("reached")
    markers = _markers(reached).cte("markers")
    return union_all(_outlines(reached), select(markers)).cte("computed"), markers


def _markers(documents: FromClause) -> Select[Any]:
    """The marker of every shape in `documents`, whether in force or ended.

    A row of `ANY_SHAPE` is older than the column, and may have any shape of that time. A shape that
    is not known is of a later version, and may be any.
    """
    shown = select(documents.c.shape).where(documents.c.masked).distinct().subquery("shown")
    marker = values(column("shape", Text), column("token", TokenColumn), name="marker").data(
        [(shape.name, token) for shape, token in zip(SHAPES, MARKERS, strict=True)]
    )
    shape = func.coalesce(shown.c.shape, "")
    is_known = shape.in_([ANY_SHAPE, *[each.name for each in SHAPES]])
    may_have = and_(shape == ANY_SHAPE, marker.c.shape != ORGANIZATION_SHAPE.name)
    return (
        select(marker.c.token, _bytes(MARKER_OUTLINE).label("outline"))
        .distinct()
        .join_from(shown, marker, or_(shape == marker.c.shape, may_have, ~is_known))
    )


def _outlines(documents: FromClause) -> Select[Any]:
    """The outline of every token that `documents` reach."""
    link = links(documents).subquery("link")
    different = select(link.c.asked, _number(link).label("number")).distinct().subquery("different")
    packed = func.substring(
        func.int8send(different.c.number), _NUMBER_BYTES - LINK_BYTES + 1, LINK_BYTES
    )
    together = func.string_agg(packed, aggregate_order_by(_bytes(b""), different.c.number))
    value = case(
        (func.count() > LINKS_MAX, _bytes(bytes([OVERFLOW]))),
        else_=_bytes(bytes([COMPLETE])).op("||")(together),
    )
    return (
        select(different.c.asked.label("token"), value.label("outline"))
        .group_by(different.c.asked)
        .order_by(different.c.asked)
    )


def _number(link: FromClause) -> ColumnElement[int]:
    """One link's five bytes as a number."""
    role: ColumnElement[int] = case(*((link.c.role == role, NUMBERS[role]) for role in NUMBERS))
    masked = case((link.c.masked, MASKED), else_=0)
    order = case((link.c.listing_kind == ListingKind.CONSUMPTION_ORDER.value, ORDER), else_=0)
    starts = func.coalesce(_days(link.c.starts_on, NEVER - 1), ALWAYS)
    ends = func.coalesce(_days(link.c.ends_on, NEVER), NEVER)
    return (role + masked + order) * _big(1 << 32) + starts * _big(1 << 16) + ends


def _days(day: ColumnElement[Any], latest: int) -> ColumnElement[int]:
    """Days since 1900, cut to what two bytes hold; earlier starts count as always in force.

    Cut before it is counted: the driver writes the last day there is, which courts send for never,
    as infinity.
    """
    first, last = (DAY_ZERO + timedelta(days=days) for days in (ALWAYS, latest))
    cut = func.least(func.greatest(day, first, type_=Date()), last, type_=Date())
    return case((day.is_not(None), cut - DAY_ZERO), else_=null())


def _big(value: int) -> ColumnElement[int]:
    return literal(value, BigInteger)


def _bytes(value: bytes) -> ColumnElement[bytes]:
    return literal(value, LargeBinary)


def _write(computed: FromClause) -> Insert:
    fresh = insert(outline).from_select(["token", "outline"], select(computed))
    return fresh.on_conflict_do_update(
        index_elements=["token"],
        set_={"outline": fresh.excluded.outline},
        where=outline.c.outline != fresh.excluded.outline,
    )


def _remove(computed: FromClause) -> Delete:
    """Remove outlines that are not computed: of those wanted, if the caller says whose."""
    found = select(literal(1)).where(computed.c.token == outline.c.token).exists()
    return delete(outline).where(~found)


@functools.cache
def _refresh() -> Insert:
    tokens = bindparam("tokens", type_=ARRAY(TokenColumn))
    given = select(func.unnest(tokens, type_=TokenColumn).label("token")).cte("given")
    wanted = _with_bound(given).cte("wanted")
    computed, markers = _outlines_of(wanted)
    written = _write(computed).returning(outline.c.token, outline.c.outline).cte("written")
    removed = (
        _remove(computed)
        .where(outline.c.token.in_(select(wanted.c.token)))
        .returning(outline.c.token)
        .cte("removed")
    )
    version = bindparam("version", type_=BigInteger)
    # A marker goes with each change of its shape, whether or not it is new. So no node lacks the
    # marker of a number that the node is about to learn.
    rows = union(
        select(version, written.c.token, written.c.outline),
        select(version, removed.c.token, null().cast(LargeBinary)),
        select(version, markers.c.token, markers.c.outline),
    )
    entries = insert(outbox).from_select(["version", "token", "outline"], rows)
    # The same version may compute a token twice; the later time counts.
    return entries.on_conflict_do_update(
        index_elements=["version", "token"], set_={"outline": entries.excluded.outline}
    )


@functools.cache
def _refresh_touched() -> Insert:
    touched = table("touched", column("token", TokenColumn))
    computed, _ = _outlines_of(touched)
    removed = _remove(computed).where(outline.c.token.in_(select(touched.c.token)))
    return _write(computed).add_cte(removed.cte("removed"))


@functools.cache
def _refresh_all() -> Insert:
    # Not as a common table, which PostgreSQL would write out whole before it begins.
    computed = all_outlines().cte("computed")
    return _write(computed).add_cte(_remove(computed).cte("removed"))


@functools.cache
def _touch() -> Insert:
    version = bindparam("version", type_=BigInteger)
    ids = union(
        select(listing.c.id).where(_began_or_ended(listing, version)),
        select(directive.c.listing_id).where(_began_or_ended(directive, version)),
    ).cte("ids")
    # All rows of an id: what is retained of an ended one goes when another begins.
    tokens = (
        select(document.c.token)
        .distinct()
        .join_from(ids, listing, listing.c.id == ids.c.id)
        .join(document, document.c.listing_pk == listing.c.pk)
        .cte("tokens")
    )
    touched = table("touched", column("token", TokenColumn))
    return insert(touched).from_select(["token"], _with_bound(tokens))


def _with_bound(tokens: FromClause) -> Select[Any]:
    reaching = reach(tokens).subquery("bound")
    return select(reaching.c.source.label("token")).distinct()


def _began_or_ended(versioned: FromClause, version: ColumnElement[int]) -> ColumnElement[bool]:
    return or_(versioned.c.from_version == version, versioned.c.until_version == version)


@functools.cache
def _changed_and_listed() -> Select[int, int]:
    version = bindparam("version", type_=BigInteger)
    return select(
        func.count().filter(_began_or_ended(listing, version)),
        func.count().filter(listing.c.until_version.is_(None)),
    ).select_from(listing)
