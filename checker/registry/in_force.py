"""Selectables of the rows in force, now or at a past version: written here once.

A row is in force from the change `from_version` to the change `until_version`. A link reaches
a token by one of two ways:

- full: a document of a listing in force that is not shielded, from the first day of the listing to
  its end or its delisting, whichever day comes first;
- retained: a document of the latest row of a listing, ended or not, that a court keeps measures of,
  from the first day of the listing to the end of the retention, for these measures alone. A
  shielding hides the link only until the day of a delisting: with the listing ends what hides it.

The first day of a listing is the day on which an order starts, if the order names one, else the day
of publication.

All documents bound to one person reach each other's links and permits. A masked number does not,
because it may belong to somebody else. The rules judge the days of a link (`checker.domain`).
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Date,
    FromClause,
    LargeBinary,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.elements import SQLColumnExpression

from checker.registry.schema import bound_document, directive, document, listing, officer_link

Version = SQLColumnExpression[int] | None
"""A version's number as a parameter; None: now."""


def in_force(table: FromClause, version: Version = None) -> ColumnElement[bool]:
    """Return the condition that a row is in force at `version`."""
    if version is None:
        return table.c.until_version.is_(None)
    return and_(
        table.c.from_version <= version,
        or_(table.c.until_version.is_(None), table.c.until_version > version),
    )


def reach(wanted: FromClause, version: Version = None) -> CompoundSelect[Any]:
    """From each token of `wanted` to those whose links reach it: itself, and those bound to it.

    Columns: `asked`, `source`, `is_own`; and the issuers under which both tokens are bound, as
    `asked_issuer` and `source_issuer`. Tokens know no issuers: a reader compares the issuers.
    """
    own, other = bound_document.alias("own"), bound_document.alias("other")
    none = null().cast(bound_document.c.issuer.type)
    return union_all(
        select(
            wanted.c.token.label("asked"),
            wanted.c.token.label("source"),
            true().label("is_own"),
            none.label("asked_issuer"),
            none.label("source_issuer"),
        ),
        select(own.c.token, other.c.token, false(), own.c.issuer, other.c.issuer)
        .join_from(wanted, own, own.c.token == wanted.c.token)
        .join(other, _is_one_person(own, other))
        .where(in_force(own, version), in_force(other, version)),
    )


def documents_of(reaching: FromClause) -> Select[Any]:
    """The documents behind the rows of `reach`, with all columns of `reach` but `source`."""
    return (
        select(
            reaching.c.asked,
            reaching.c.is_own,
            reaching.c.asked_issuer,
            reaching.c.source_issuer,
            *document.c,
        )
        .join_from(reaching, document, document.c.token == reaching.c.source)
        .where(or_(reaching.c.is_own, ~document.c.masked))
    )


def all_documents(version: Version = None) -> CompoundSelect[Any]:
    """All documents with each token that they reach, as `documents_of` every token would give."""
    own, other = bound_document.alias("own"), bound_document.alias("other")
    return union_all(
        select(document.c.token.label("asked"), *document.c),
        select(own.c.token, *document.c)
        .join_from(own, other, _is_one_person(own, other))
        .join(document, document.c.token == other.c.token)
        .where(in_force(own, version), in_force(other, version), ~document.c.masked),
    )


def links(documents: FromClause, version: Version = None) -> CompoundSelect[Any]:
    """The links by which `documents` reach their `asked`.

    Columns: those of `documents`; `listing_id`, `case_number`, `court`, `published_on`, `public`,
    `listing_kind` and `items` of the listing; the sealed `holder_name` of the officer or party;
    `starts_on`, `ends_on`, `fulfilled_on`; and `measures`, set where it is retained.
    """
    return union_all(_full(documents, version), _retained(documents, version))


def _full(documents: FromClause, version: Version) -> Select[Any]:
    delisting, fulfilment = directive.alias("delisting"), directive.alias("fulfilment")
    return (
        select(
            *_columns(documents),
            _first_day().label("starts_on"),
            func.least(listing.c.expires_on, delisting.c.on, type_=Date()).label("ends_on"),
            fulfilment.c.on.label("fulfilled_on"),
            null().cast(directive.c.measures.type).label("measures"),
        )
        .join_from(documents, listing, listing.c.pk == documents.c.listing_pk)
        .outerjoin(officer_link, officer_link.c.pk == documents.c.officer_pk)
        .outerjoin(delisting, _directs(delisting, "delisting", version))
        .outerjoin(fulfilment, _directs(fulfilment, "fulfilment", version))
        .where(in_force(listing, version), ~_is_shielded(version))
    )


def _retained(documents: FromClause, version: Version) -> Select[Any]:
    retention, delisting = directive.alias("retention"), directive.alias("delisting")
    shielded = _is_shielded(version)
    uncovered_on = func.greatest(_first_day(), delisting.c.on, type_=Date())
    return (
        select(
            *_columns(documents),
            case((shielded, uncovered_on), else_=_first_day()).label("starts_on"),
            retention.c.on,
            null().cast(directive.c.on.type),
            retention.c.measures,
        )
        .join_from(documents, listing, listing.c.pk == documents.c.listing_pk)
        .outerjoin(officer_link, officer_link.c.pk == documents.c.officer_pk)
        .join(retention, _directs(retention, "retention", version))
        .outerjoin(delisting, _directs(delisting, "delisting", version))
        .where(_is_latest(version), or_(~shielded, delisting.c.on.is_not(None)))
    )


def _columns(documents: FromClause) -> tuple[ColumnElement[Any], ...]:
    return (
        *documents.c,
        listing.c.id.label("listing_id"),
        listing.c.case_number,
        listing.c.court,
        listing.c.published_on,
        listing.c.public,
        listing.c.kind.label("listing_kind"),
        listing.c["items"],
        # PostgreSQL leaves the join with `officer_link` out where nobody asks for the name.
        func.coalesce(officer_link.c.name, listing.c.party_name, type_=LargeBinary()).label(
            "holder_name"
        ),
    )


def _first_day() -> ColumnElement[Any]:
    return func.coalesce(listing.c.starts_on, listing.c.published_on, type_=Date())


def _directs(table: FromClause, kind: str, version: Version) -> ColumnElement[bool]:
    # Not as a parameter: PostgreSQL knows how few rows there are of a kind.
    is_kind = table.c.kind == literal_column(f"'{kind}'")
    return and_(table.c.listing_id == listing.c.id, is_kind, in_force(table, version))


def _is_shielded(version: Version) -> ColumnElement[bool]:
    shielding = directive.alias("shielding")
    return select(literal(1)).where(_directs(shielding, "shielding", version)).exists()


def _is_latest(version: Version) -> ColumnElement[bool]:
    """Return the condition that no row of the listing's id began later than this one."""
    later = listing.alias("later")
    began_later = and_(later.c.id == listing.c.id, later.c.from_version > listing.c.from_version)
    if version is not None:
        began_later = and_(
            began_later, later.c.from_version <= version, listing.c.from_version <= version
        )
    is_known = true() if version is None else listing.c.from_version <= version
    return and_(is_known, ~select(literal(1)).where(began_later).exists())


def _is_one_person(own: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(own.c.person == other.c.person, own.c.token != other.c.token)
