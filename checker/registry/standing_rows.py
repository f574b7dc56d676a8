"""The statement that finds what the list says of tokens, and its rows.

One statement reads the newest version, the number of the token key and four kinds of rows, so all
rows belong to one instant:

| `row_kind` | says about the token in `asked` |
|---|---|
| `link` | a document of a listing reaches it (`checker.registry.in_force`) |
| `permit` | a permit reaches it |
| `binding` | it is bound to a person |
| `distinction` | a court has found that a listing is not about its holder |
"""

from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    LargeBinary,
    Select,
    Text,
    any_,
    bindparam,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from checker.database.token_column import CURRENT_KEY, TokenColumn
from checker.registry.in_force import Version, documents_of, in_force, links, reach
from checker.registry.lost_changes import IS_SET_BACK
from checker.registry.permit_schema import permit, permit_use
from checker.registry.schema import bound_document, change, directive
from checker.registry.versions import VERSION_COLUMNS


class RowKind(StrEnum):
    """The kinds of rows."""

    LINK = "link"
    PERMIT = "permit"
    BINDING = "binding"
    DISTINCTION = "distinction"


_OF_LINKS: Final = (
    "role",
    "masked",
    "name_token",
    "officer_pk",
    "holder_name",
    "listing_id",
    "case_number",
    "published_on",
    "starts_on",
    "ends_on",
    "public",
    "listing_kind",
    "items",
    "fulfilled_on",
    "measures",
)
_OF_PERMITS: Final = (
    "permit_id",
    "permit_kind",
    "services",
    "valid_from",
    "valid_until",
    "uses",
    "used",
    "claimed",
    "ground",
)
_OF_BOTH: Final = (
    "is_own",
    "asked_issuer",
    "source_issuer",
    "type",
    "number",
    "token",
    "issuer",
    "court",
)


def _statement(version: Version) -> Select[Any]:
    newest = select(*VERSION_COLUMNS)
    if version is not None:
        newest = newest.where(change.c.version == version)
    newest_row = newest.order_by(change.c.version.desc()).limit(1).cte("newest")
    tokens = bindparam("tokens", type_=ARRAY(TokenColumn))
    wanted = select(func.unnest(tokens, type_=TokenColumn).label("token")).cte("wanted")
    reaching = reach(wanted, version).cte("reaching")
    reached = documents_of(reaching).cte("reached")
    link = links(reached, version).subquery("link")
    permitted = _permits(reaching, version).subquery("permitted")
    types = {name: link.c[name].type for name in (*_OF_LINKS, *_OF_BOTH)}
    types |= {name: permitted.c[name].type for name in _OF_PERMITS} | {"person": Text()}

    def filled(kind: RowKind, rows: FromClause) -> Select[Any]:
        return select(
            literal(kind.value, Text).label("row_kind"),
            rows.c.asked,
            *(
                rows.c[name] if name in rows.c else null().cast(each).label(name)
                for name, each in types.items()
            ),
        )

    found = union_all(
        filled(RowKind.LINK, link),
        filled(RowKind.PERMIT, permitted),
        filled(RowKind.BINDING, _bindings(wanted, version).subquery("binding")),
        filled(RowKind.DISTINCTION, _distinctions(wanted, version).subquery("distinction")),
    ).subquery("found")
    state = IS_SET_BACK.label("is_set_back"), CURRENT_KEY.label("token_key")
    rows = select(*newest_row.c, *state, *found.c)
    return rows.select_from(newest_row.outerjoin(found, true()))


def _bindings(wanted: FromClause, version: Version) -> Select[Any]:
    return (
        select(
            wanted.c.token.label("asked"),
            bound_document.c.person,
            bound_document.c.type,
            bound_document.c.number,
            bound_document.c.token,
            bound_document.c.issuer,
        )
        .join_from(wanted, bound_document, bound_document.c.token == wanted.c.token)
        .where(in_force(bound_document, version))
    )


def _distinctions(wanted: FromClause, version: Version) -> Select[Any]:
    return (
        select(wanted.c.token.label("asked"), directive.c.listing_id, directive.c.issuer)
        .join_from(wanted, directive, directive.c.token == wanted.c.token)
        .where(in_force(directive, version))
    )


def _permits(reaching: FromClause, version: Version) -> Select[Any]:
    claims = bindparam("claims", type_=ARRAY(LargeBinary))
    counted: ColumnElement[bool] = permit_use.c.permit_pk == permit.c.pk
    returned_at = permit_use.c.returned_at
    if version is None:
        counted &= returned_at.is_(None)
    else:
        until = bindparam("used_until", type_=DateTime(timezone=True))
        counted &= (permit_use.c.at <= until) & or_(returned_at.is_(None), returned_at > until)
    used = select(func.count()).where(counted)
    claimed = select(func.array_agg(permit_use.c.claim, type_=ARRAY(LargeBinary)))
    return (
        select(
            reaching.c.asked,
            reaching.c.is_own,
            reaching.c.asked_issuer,
            reaching.c.source_issuer,
            permit.c.type,
            permit.c.number,
            permit.c.token,
            permit.c.issuer,
            permit.c.id.label("permit_id"),
            permit.c.kind.label("permit_kind"),
            permit.c.services,
            permit.c.valid_from,
            permit.c.valid_until,
            permit.c.uses,
            used.scalar_subquery().label("used"),
            claimed.where(counted, permit_use.c.claim == any_(claims))
            .scalar_subquery()
            .label("claimed"),
            permit.c.court,
            permit.c.ground,
        )
        .join_from(reaching, permit, permit.c.token == reaching.c.source)
        .where(in_force(permit, version))
    )


# Made once: to put one together takes as long as to answer it.
NOW: Final = _statement(None)
THEN: Final = _statement(bindparam("version", type_=BigInteger))
