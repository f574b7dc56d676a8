"""Asks the registry what the list says of somebody: the record itself, with listings and names.

One statement reads the version, the links and the permits, so that they belong to the same instant;
what stood at a past version is read in the same way. A hit on a masked number is compared character
by character here: the index hides more than the list does.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    LargeBinary,
    Select,
    any_,
    bindparam,
    func,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cache.token import Token
from checker.database.engine import driver_errors, fetch
from checker.domain.listing_kind import ListingKind
from checker.domain.masking import MaskedNumber
from checker.domain.name import names_agree
from checker.domain.permit import Permit, PermitKind
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.standing import NOT_LISTED, Link, ListingRef, Match, Standing
from checker.registry.in_force import Version, documents_of, in_force, links, reach
from checker.registry.permit_schema import permit, permit_use
from checker.registry.prepared_check import PreparedSubject
from checker.registry.schema import change
from checker.registry.sealing import DOCUMENT_NUMBER, OFFICER_NAME, PARTY_NAME, Sealer
from checker.registry.versions import VERSION_COLUMNS, ListVersion
from checker.vault import Vault

_FOREVER = datetime.max.replace(tzinfo=UTC)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """One standing a subject, and the version of the list that they were read from.

    Without a version there was no list, and the standings say nothing.
    """

    version: ListVersion | None
    standings: tuple[Standing, ...]


async def find_standings(
    registry: AsyncEngine | AsyncConnection,
    sealer: Sealer,
    subjects: Sequence[PreparedSubject],
    *,
    claims: Sequence[bytes | None] | None = None,
    version: int | None = None,
    used_until: datetime | None = None,
) -> Findings:
    """Return all links and permits of each subject, whatever day they hold on.

    `claims` has one claim for each subject, or None: uses of a permit under this claim do not count
    against the sale itself. With `version`, return the links and permits in force then, and count
    the uses of permits until `used_until`. A connection reads within its transaction, and its owner
    handles the errors. An engine reads in a transaction of its own.

    Raises:
        Unavailable: PostgreSQL is away or too slow (with an engine).
    """
    # Arrays: the protocol has room for 32 767 parameters, a batch for 50 000 tokens.
    asked = [sealer.tokens_of(subject) for subject in subjects]
    parameters: dict[str, Any] = {
        "tokens": list({token for tokens in asked for token in tokens}),
        "claims": list({claim for claim in claims or () if claim is not None}),
    }
    statement = _NOW
    if version is not None:
        statement = _THEN
        parameters |= {"version": version, "used_until": used_until or _FOREVER}
    if isinstance(registry, AsyncEngine):
        with driver_errors():
            rows = await fetch(registry, statement, parameters)
    else:
        rows = (await registry.execute(statement, parameters)).mappings().all()
    if not rows:
        return Findings(version=None, standings=(NOT_LISTED,) * len(subjects))
    by_token: dict[bytes, list[Any]] = {}
    for row in rows:
        if row["asked"] is not None:
            by_token.setdefault(row["asked"], []).append(row)
    first = rows[0]
    return Findings(
        version=ListVersion.of(first),
        standings=tuple(
            _standing(subject, tokens, claim, by_token, sealer)
            for subject, tokens, claim in zip(subjects, asked, claims or repeat(None), strict=False)
        ),
    )


def _standing(
    subject: PreparedSubject,
    tokens: Sequence[Token],
    claim: bytes | None,
    by_token: dict[bytes, list[Any]],
    sealer: Sealer,
) -> Standing:
    rows = [row for token in tokens for row in by_token.get(token, ())]
    if not rows:
        return NOT_LISTED
    name_token = None if subject.name is None else sealer.name_token(subject.name)
    found = (
        _link(subject, name_token, row, sealer.vault) for row in rows if row["permit_id"] is None
    )
    permits = (_permit(claim, row) for row in rows if row["permit_id"] is not None)
    return Standing(
        # A company listed by its uscc and its organization code is one party.
        links=tuple(dict.fromkeys(link for link in found if link is not None)),
        permits=tuple(dict.fromkeys(permits)),
    )


def _link(
    subject: PreparedSubject, name_token: Token | None, row: Any, vault: Vault
) -> Link | None:
    match = _match(subject, name_token, row, vault)
    if match is None:
        return None
    return Link(
        role=Role(row["role"]),
        match=match,
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        fulfilled_on=row["fulfilled_on"],
        measures=None if row["measures"] is None else frozenset(row["measures"]),
        kind=ListingKind(row["listing_kind"]),
        items=None if row["items"] is None else frozenset(map(ServiceType, row["items"])),
        listing=ListingRef(
            id=row["listing_id"],
            case_number=row["case_number"],
            court=row["court"],
            published_on=row["published_on"],
            public=row["public"],
        ),
    )


def _match(
    subject: PreparedSubject, name_token: Token | None, row: Any, vault: Vault
) -> Match | None:
    """How well the row fits; None: it is somebody else's."""
    if row["masked"]:
        if subject.document is None:
            return None
        masked = MaskedNumber(
            pattern=vault.open(
                row["number"], DOCUMENT_NUMBER, row["listing_id"], row["token"].hex()
            )
        )
        return Match.MASKED if masked.matches(subject.document.number) else None
    if subject.name is None or name_token == row["name_token"]:
        return Match.DOCUMENT
    listed = vault.open(
        row["holder_name"],
        PARTY_NAME if row["officer_pk"] is None else OFFICER_NAME,
        row["listing_id"],
    )
    return Match.DOCUMENT if names_agree(subject.name, listed) else Match.NAME_DIFFERS


def _permit(claim: bytes | None, row: Any) -> Permit:
    uses_left = None
    if row["uses"] is not None:
        own = 1 if claim is not None and claim in (row["claimed"] or ()) else 0
        uses_left = max(0, row["uses"] - row["used"] + own)
    return Permit(
        id=row["permit_id"],
        services=frozenset(map(ServiceType, row["services"])),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        uses_left=uses_left,
        court=row["court"],
        ground=row["ground"],
        kind=None if row["permit_kind"] is None else PermitKind(row["permit_kind"]),
    )


# The columns of a link and of a permit, side by side; a row fills those of one of them.
_LINK = (
    "role",
    "number",
    "token",
    "masked",
    "name_token",
    "officer_pk",
    "holder_name",
    "listing_id",
    "case_number",
    "court",
    "published_on",
    "starts_on",
    "ends_on",
    "public",
    "listing_kind",
    "items",
    "fulfilled_on",
    "measures",
)
_PERMIT = (
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


def _statement(version: Version) -> Select[Any]:
    newest = select(*VERSION_COLUMNS)
    if version is not None:
        newest = newest.where(change.c.version == version)
    newest_row = newest.order_by(change.c.version.desc()).limit(1).cte("newest")
    tokens = bindparam("tokens", type_=ARRAY(LargeBinary))
    wanted = select(func.unnest(tokens).label("token")).cte("wanted")
    reaching = reach(wanted, version).cte("reaching")
    reached = documents_of(reaching).cte("reached")
    link = links(reached, version).subquery("link")
    permitted = _permits(reaching, version).subquery("permitted")
    found = union_all(
        select(
            link.c.asked,
            *(link.c[name] for name in _LINK),
            *(null().cast(permitted.c[name].type).label(name) for name in _PERMIT),
        ),
        select(
            permitted.c.asked,
            *(
                permitted.c.court if name == "court" else null().cast(link.c[name].type)
                for name in _LINK
            ),
            *(permitted.c[name] for name in _PERMIT),
        ),
    ).subquery("found")
    return select(*newest_row.c, *found.c).select_from(newest_row.outerjoin(found, true()))


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
_NOW = _statement(None)
_THEN = _statement(bindparam("version", type_=BigInteger))
