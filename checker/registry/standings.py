"""Asks the registry what the list says of somebody: the record itself, with listings and names.

One statement reads the version and the standings, so that both belong to the same instant. A hit on
a masked number is compared character by character here: the index hides more than the list does.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import LargeBinary, and_, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine

from cache.token import Token
from checker.database.engine import driver_errors, fetch
from checker.domain.document import Document
from checker.domain.masking import MaskedNumber
from checker.domain.role import Role
from checker.domain.standing import NOT_LISTED, Link, ListingRef, Match, Standing
from checker.registry.publication import ChangeKind, ListVersion
from checker.registry.schema import change, document, listing
from checker.registry.sealing import DOCUMENT_NUMBER
from checker.vault import Vault


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked about: a normalised document, every token it may stand under, and the name."""

    document: Document
    tokens: tuple[Token, ...]
    name_token: Token | None


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """One standing a question, and the version of the list that they were read from."""

    version: ListVersion | None
    standings: tuple[Standing, ...]


_newest = (
    select(change.c.version, change.c.at, change.c.kind)
    .order_by(change.c.version.desc())
    .limit(1)
    .cte()
)
_listed = document.join(
    listing,
    and_(listing.c.pk == document.c.listing_pk, listing.c.until_version.is_(None)),
)


async def find_standings(
    engine: AsyncEngine, vault: Vault, questions: Sequence[Question]
) -> Findings:
    """Find what is in force of each subject.

    Raises:
        Unavailable: PostgreSQL is away or too slow.
    """
    tokens = list({token for question in questions for token in question.tokens})
    # One array: the protocol has room for 32 767 parameters, a batch for 50 000 tokens.
    wanted = bindparam("tokens", tokens, type_=ARRAY(LargeBinary))
    columns = (*_newest.c, *document.c, *(_LISTING_COLUMNS))
    statement = select(*columns).select_from(
        _newest.outerjoin(_listed, document.c.token == any_(wanted))
    )
    with driver_errors():
        rows = await fetch(engine, statement)
    if not rows:
        return Findings(version=None, standings=(NOT_LISTED,) * len(questions))
    by_token: dict[bytes, list[Any]] = {}
    for row in rows:
        if row[document.c.token] is not None:
            by_token.setdefault(row[document.c.token], []).append(row)
    return Findings(
        version=ListVersion(
            version=rows[0][_newest.c.version],
            at=rows[0][_newest.c.at],
            kind=ChangeKind(rows[0][_newest.c.kind]),
        ),
        standings=tuple(_standing(question, by_token, vault) for question in questions),
    )


_LISTING_COLUMNS = (
    listing.c.id.label("listing_id"),
    listing.c.case_number,
    listing.c.court,
    listing.c.published_on,
    listing.c.expires_on,
    listing.c.public,
)


def _standing(question: Question, by_token: dict[bytes, list[Any]], vault: Vault) -> Standing:
    rows = (row for token in question.tokens for row in by_token.get(token, ()))
    links = (_link(question, row, vault) for row in rows)
    # A company listed by its uscc and its organization code is one party.
    return Standing(links=tuple(dict.fromkeys(link for link in links if link is not None)))


def _link(question: Question, row: Any, vault: Vault) -> Link | None:
    match = _match(question, row, vault)
    if match is None:
        return None
    return Link(
        role=Role(row[document.c.role]),
        match=match,
        starts_on=row[listing.c.published_on],
        ends_on=row[listing.c.expires_on],
        listing=ListingRef(
            id=row["listing_id"],
            case_number=row[listing.c.case_number],
            court=row[listing.c.court],
            published_on=row[listing.c.published_on],
            public=row[listing.c.public],
        ),
    )


def _match(question: Question, row: Any, vault: Vault) -> Match | None:
    """How well the row fits; None: it is somebody else's."""
    if row[document.c.masked]:
        masked = MaskedNumber.parse(vault.open(row[document.c.number], DOCUMENT_NUMBER))
        return Match.MASKED if masked.matches(question.document.number) else None
    if question.name_token is None or question.name_token == row[document.c.name_token]:
        return Match.DOCUMENT
    return Match.NAME_DIFFERS
