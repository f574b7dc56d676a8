"""Finds the listings in force that a record without an id of its own is about.

A record keeps the id under which its listing is in force, however it is spelt now. The id is looked
for in this order:

1. The id of the record's words (`checker.registry.identity`).
2. The id that the same text had before decision 0045.
3. The id of a listing with the same document, court, case and day of publication. A day that is
   missing on one side counts as the same.

Two records of one case may name different officers: then both are listings. So a listing that
reaches the same people goes before one that reaches others.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ARRAY, Text, and_, any_, bindparam, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.database.token_column import TokenColumn
from checker.registry.entry import ListingEntry, PartyType
from checker.registry.identity import (
    Reach,
    case_words,
    court_words,
    may_be_one_day,
    reach_of,
    tokens_of,
)
from checker.registry.schema import document, listing
from checker.registry.sealing import Sealer


class KnownIds(NamedTuple):
    """The ids in force of the listing that a record is about; the best comes first in each."""

    same: tuple[str, ...]
    """These listings reach the same officers."""
    others: tuple[str, ...]
    """These listings are about the same case and party, and reach other officers."""


class _Alike(NamedTuple):
    """A listing in force, with the tokens of its documents."""

    row: Any
    party: frozenset[Token]
    reach: Reach


async def known_ids(
    connection: AsyncConnection,
    sealer: Sealer,
    entries: Sequence[ListingEntry],
    former_id: Callable[[int], str | None],
) -> list[KnownIds]:
    """Return for each entry the ids under which it is in force.

    An entry has the id of its words. `former_id` returns the earlier id of the entry at a place.
    The number of statements does not grow with the entries: one, if nothing has changed.
    """
    in_force = await _digests(connection, [entry.id for entry in entries])
    former: dict[int, str] = {}
    for place, entry in enumerate(entries):
        if entry.id not in in_force and (found := former_id(place)) is not None:
            former[place] = found
    in_force |= await _digests(connection, former.values())
    known: dict[int, KnownIds] = {}
    for place, entry in enumerate(entries):
        own_id = former.get(place, entry.id)
        own = msgspec.structs.replace(entry, id=own_id)
        if in_force.get(own_id) == sealer.digest(own):
            known[place] = KnownIds((own_id,), ())
    changed = {place: entry for place, entry in enumerate(entries) if place not in known}
    named = {
        place: [one for one in (entry.id, former.get(place)) if one is not None and one in in_force]
        for place, entry in changed.items()
    }
    ids = [one for some in named.values() for one in some]
    alike = await _alike(connection, sealer, changed.values(), ids)
    for place, entry in changed.items():
        known[place] = _matching(entry, sealer, named[place], alike)
    return [known[place] for place in range(len(entries))]


def _matching(
    entry: ListingEntry, sealer: Sealer, named: Sequence[str], alike: Sequence[_Alike]
) -> KnownIds:
    party, reach = frozenset(tokens_of(sealer, entry.party)), reach_of(sealer, entry)
    found = [one for one in alike if one.row.id in named or _is_about(entry, party, reach, one)]
    same = {one.row.id for one in found if one.reach == reach}
    others = {*named, *(one.row.id for one in found)} - same

    def best_first(ids: set[str]) -> tuple[str, ...]:
        return tuple(sorted(ids, key=lambda one: (one not in named, one)))

    return KnownIds(best_first(same), best_first(others))


def _is_about(entry: ListingEntry, party: frozenset[Token], reach: Reach, other: _Alike) -> bool:
    row = other.row
    if party and other.party:
        is_same_party = not party.isdisjoint(other.party)
    else:
        # A company without a readable number is known by its officers.
        are_companies = PartyType.ORGANIZATION == entry.party_type == row.party_type
        is_same_party = are_companies and not reach.isdisjoint(other.reach)
    return (
        is_same_party
        and entry.kind == row.kind
        and court_words(entry.court) == court_words(row.court)
        and case_words(entry.case_number) == case_words(row.case_number)
        and may_be_one_day(entry.published_on, row.published_on)
    )


async def _digests(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, bytes]:
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await connection.execute(_DIGESTS, {"wanted": wanted})
    return {row.id: row.digest for row in rows}


async def _alike(
    connection: AsyncConnection,
    sealer: Sealer,
    entries: Iterable[ListingEntry],
    ids: Sequence[str],
) -> list[_Alike]:
    """Return the listings in force that have one of the `ids`, or a document of one of the
    entries.
    """
    tokens: set[Token] = set()
    for entry in entries:
        own = tokens_of(sealer, entry.party)
        tokens.update(own or (token for _, token in reach_of(sealer, entry)))
    if not (tokens or ids):
        return []
    wanted = {"tokens": list(tokens), "wanted": list(ids)}
    found: dict[int, tuple[Any, set[Token], set[tuple[str, Token]]]] = {}
    for row in await connection.execute(_ALIKE, wanted):
        _, party, reach = found.setdefault(row.pk, (row, set(), set()))
        if row.token is None:
            continue  # a listing that reaches nobody
        if row.officer_pk is None:
            party.add(Token(row.token))
        else:
            reach.add((row.role, Token(row.token)))
    return [_Alike(row, frozenset(party), frozenset(reach)) for row, party, reach in found.values()]


_is_in_force = listing.c.until_version.is_(None)
_is_named = and_(_is_in_force, listing.c.id == any_(bindparam("wanted", type_=ARRAY(Text))))
_DIGESTS = select(listing.c.id, listing.c.digest).where(_is_named)
# A masked number may have further rows, under other keys of the name, which say nothing new.
_is_own_document = and_(
    document.c.listing_pk == listing.c.pk,
    ~document.c.derived,
)
_has_token = document.c.token == any_(bindparam("tokens", type_=ARRAY(TokenColumn)))
_hit = union(
    select(document.c.listing_pk.label("pk")).where(_has_token),
    select(listing.c.pk).where(_is_named),
).cte("hit")
_ALIKE = (
    select(listing, document.c.officer_pk, document.c.role, document.c.token)
    .join_from(_hit, listing, listing.c.pk == _hit.c.pk)
    .outerjoin(document, _is_own_document)
    .where(_is_in_force)
)
