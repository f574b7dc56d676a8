"""The endings that permits bring: the restrictions that a permit lifts while it is valid.

| a change writes rows for | documents of the decisions that the row lifts |
|---|---|
| a new permit that is valid already | all documents of its holder |
| a binding by which a valid permit reaches further documents | these documents, a row for each |

A permit that begins later has no row: `checker.notices.due` finds it at its instant.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Insert,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.registry.endings import EndingGround, ending
from checker.registry.in_force import Version, documents_of, in_force, links, reach
from checker.registry.permit_schema import permit, permit_use
from checker.registry.schema import bound_document, change, listing
from checker.registry.versions import ListVersion


async def write_permit_endings(connection: AsyncConnection, change_made: ListVersion) -> None:
    """Write the endings that the new permits of a change bring, if they are valid already.

    The caller has written all rows of the change, in the same transaction.
    """
    await connection.execute(_WRITE_OF_PERMITS, _parameters(change_made))


async def write_binding_endings(connection: AsyncConnection, change_made: ListVersion) -> None:
    """Write the endings that older permits bring, because a change binds documents to the holder.

    The caller has written all rows of the change, in the same transaction.
    """
    await connection.execute(_WRITE_OF_BINDINGS, _parameters(change_made))


def lifted_by(begun: FromClause, version: Version = None) -> Select[Any]:
    """Return a statement for the listings that permits lift, by the list of `version`.

    `begun` has the columns of a permit and `begins_at`. The statement has a row for each permit and
    listing that reaches the holder when the permit begins: `listing_id`, `roles`, `permit_id`,
    `services` and `begins_at`.
    """
    wanted = select(begun.c.token).distinct().cte("wanted")
    reached = documents_of(reach(wanted, version).cte("reaching")).cte("reached")
    link = links(reached, version).subquery("link")
    # A decision keeps the role of its day, so the holder's earlier roles in the listing count too.
    ever = select(
        reached.c.asked,
        reached.c.role,
        reached.c.is_own,
        reached.c.asked_issuer,
        reached.c.source_issuer,
        reached.c.issuer,
        listing.c.id,
    ).join_from(reached, listing, listing.c.pk == reached.c.listing_pk)
    if version is not None:
        ever = ever.where(listing.c.from_version <= version)
    held = ever.subquery("held")
    day = cast(func.timezone(literal_column("INTERVAL '+08:00'"), begun.c.begins_at), Date)
    return (
        select(
            link.c.listing_id,
            func.array_agg(held.c.role.distinct(), type_=ARRAY(Text)).label("roles"),
            begun.c.id.label("permit_id"),
            begun.c.services,
            begun.c.begins_at,
        )
        .join_from(begun, link, _is_holders(begun, link))
        .join(held, and_(_is_holders(begun, held), held.c.id == link.c.listing_id))
        .where(
            or_(link.c.starts_on.is_(None), link.c.starts_on <= day),
            or_(link.c.ends_on.is_(None), link.c.ends_on > day),
        )
        .group_by(begun.c.id, begun.c.services, begun.c.begins_at, link.c.listing_id)
    )


def may_be_one(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that two passports of one number may be one, by their issuers."""
    return or_(one.is_(None), other.is_(None), one == other)


def _is_holders(begun: FromClause, found: FromClause) -> ColumnElement[bool]:
    """Return the condition that a document that was found is one of the permit's holder."""
    own = and_(found.c.is_own, may_be_one(begun.c.issuer, found.c.issuer))
    bound = and_(
        ~found.c.is_own,
        may_be_one(begun.c.issuer, found.c.asked_issuer),
        may_be_one(found.c.source_issuer, found.c.issuer),
    )
    return and_(found.c.asked == begun.c.token, or_(own, bound))


def _parameters(change_made: ListVersion) -> dict[str, Any]:
    return {"version": change_made.version, "at": change_made.at}


_version = bindparam("version", type_=BigInteger)
_at = bindparam("at", type_=change.c.at.type)


def _valid(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(permit, _at.label("begins_at"))
        .where(in_force(permit), permit.c.valid_from <= _at, permit.c.valid_until > _at)
        .where(*conditions)
    )


def _write(found: FromClause, token: Any, issuer: Any) -> Insert:
    names = ("listing_id", "roles", "permit_id", "services")
    rows = select(
        _version,
        literal(EndingGround.PERMIT.value, Text),
        *(found.c[name] for name in names),
        token,
        issuer,
    ).order_by(found.c.permit_id, found.c.listing_id)
    return insert(ending).from_select(["version", "ground", *names, "token", "issuer"], rows)


def _write_of_permits() -> Insert:
    valid = _valid(permit.c.from_version == _version).cte("valid")
    none = null().cast(ending.c.token.type), null().cast(ending.c.issuer.type)
    return _write(lifted_by(valid).subquery("found"), *none)


def _write_of_bindings() -> Insert:
    """Return the statement for documents that a permit reaches now, and did not reach before."""
    moved = select(bound_document.c.person).where(
        bound_document.c.from_version == _version, in_force(bound_document)
    )
    holder, other = bound_document.alias("holder"), bound_document.alias("other")
    was_holder, was_other = bound_document.alias("was_holder"), bound_document.alias("was_other")

    def is_same(one: FromClause, two: FromClause) -> ColumnElement[bool]:
        return and_(one.c.token == two.c.token, one.c.issuer.is_not_distinct_from(two.c.issuer))

    before = _version - 1
    was_reached = (
        select(literal(1))
        .select_from(was_holder)
        .join(was_other, was_other.c.person == was_holder.c.person)
        .where(is_same(was_holder, holder), is_same(was_other, other))
        .where(in_force(was_holder, before), in_force(was_other, before))
        .exists()
    )
    used = select(func.count()).where(
        permit_use.c.permit_pk == permit.c.pk, permit_use.c.returned_at.is_(None)
    )
    has_uses = or_(permit.c.uses.is_(None), permit.c.uses > used.scalar_subquery())
    reached = (
        select(permit.c.id.label("permit_id"), other.c.token, other.c.issuer)
        .join_from(permit, holder, holder.c.token == permit.c.token)
        .join(other, other.c.person == holder.c.person)
        .where(permit.c.from_version < _version, may_be_one(permit.c.issuer, holder.c.issuer))
        .where(holder.c.person.in_(moved), in_force(holder), in_force(other))
        .where(~is_same(holder, other), ~was_reached)
        .where(has_uses)
        .distinct()
        .cte("newly")
    )
    valid = _valid(permit.c.id.in_(select(reached.c.permit_id))).cte("valid")
    found = lifted_by(valid).subquery("found")
    rows = (
        select(found, reached.c.token, reached.c.issuer)
        .join_from(found, reached, reached.c.permit_id == found.c.permit_id)
        .subquery("rows")
    )
    return _write(rows, rows.c.token, rows.c.issuer)


_WRITE_OF_PERMITS: Final = _write_of_permits()
_WRITE_OF_BINDINGS: Final = _write_of_bindings()
