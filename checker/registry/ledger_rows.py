"""Writes the changes of a batch to PostgreSQL, and the outlines of the persons that they touch.

Rows that end get their version, rows that begin are inserted, and every token that either could
reach has its outline computed again: a constant number of statements. Rows of other rows are never
changed. The caller holds `Lock.LIST_WRITER` and has numbered the change.
"""

from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Table, Text, any_, bindparam, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.journal.entries import Named
from checker.registry.contents import (
    BOUND_DOCUMENT,
    DIRECTIVE,
    LISTING,
    PERMIT,
    bound_digest,
    directive_digest,
    permit_digest,
)
from checker.registry.journaling import ends, row_key
from checker.registry.ledger import Ledger
from checker.registry.ledger_difference import Difference
from checker.registry.ledger_state import Directive, DirectiveKind
from checker.registry.ledger_store import LoadedLedger
from checker.registry.permit_schema import permit
from checker.registry.projection import refresh_outlines
from checker.registry.schema import (
    bound_document,
    directive,
    document,
    listing,
    officer_link,
)
from checker.registry.sealed_rows import SealedEntry
from checker.registry.sealing import (
    BOUND_NUMBER,
    DIRECTIVE_BASIS,
    PERMIT_GROUND,
    PERMIT_NUMBER,
    Sealer,
    opened_ground,
)

_UNSEEN = frozenset({DirectiveKind.FULFILMENT, DirectiveKind.DISTINCTION})
"""Directives that change no outline."""


async def write(
    connection: AsyncConnection,
    sealer: Sealer,
    loaded: LoadedLedger,
    changed: tuple[Ledger, Difference],
    version: int,
) -> list[Named]:
    """Write a difference, with the ledger that it leads to, as version `version`.

    Return the names for the journal: of the rows that end, and of the rows that begin.
    """
    ledger, difference = changed
    sealed = [sealer.seal(line, entry) for line, entry in enumerate(difference.entries)]
    tokens = await _documents_before(connection, loaded, difference)
    named = await _end(connection, loaded, difference, version)
    named += await _begin_listings(connection, sealed, version)
    digest = sealer.vault.digest
    directed = _directives(sealer, difference, version)
    for row in await _insert_numbered(connection, directive, directed):
        content = directive_digest(digest, row, opened_ground(sealer.vault, row))
        named.append(_named(DIRECTIVE, row.listing_id, row.pk, content))
    bound = _bound(sealer, loaded, ledger, difference, version)
    for row in await _insert_numbered(connection, bound_document, bound):
        number = sealer.vault.open(row.number, BOUND_NUMBER, row.token.hex())
        named.append(_named(BOUND_DOCUMENT, row.person, row.pk, bound_digest(digest, row, number)))
    named += await _begin_permits(connection, sealer, difference, version)
    tokens |= {Token(row.token) for entry in sealed for row in entry.documents}
    tokens |= {key.token for key, _ in difference.bound}
    await refresh_outlines(connection, tokens, version)
    return named


async def _documents_before(
    connection: AsyncConnection, loaded: LoadedLedger, difference: Difference
) -> set[Token]:
    """Return the tokens of listings that end, are replaced, or get or lose a directive."""
    ids = {
        *difference.ended_ids,
        *(entry.id for entry in difference.entries),
        *(
            listing_id
            for listing_id, one in (*difference.ended_directives, *difference.directives)
            if one.kind not in _UNSEEN
        ),
    }
    pks = [loaded.listing_pks[listing_id] for listing_id in ids if listing_id in loaded.listing_pks]
    if not pks:
        return set()
    rows = await connection.execute(_TOKENS, {"wanted": pks})
    return {Token(token) for token in rows.scalars()}


async def _end(
    connection: AsyncConnection, loaded: LoadedLedger, difference: Difference, version: int
) -> list[Named]:
    """Set the end of rows, before other rows of the same id begin; return their names."""
    listings = {listing_id: loaded.listing_pks[listing_id] for listing_id in difference.ended_ids}
    directives = [(one[0], loaded.directive_pks[one]) for one in difference.ended_directives]
    bound = [loaded.bound_rows[key] for key in difference.unbound]
    for statement, wanted in (
        (_END_LISTINGS, listings.values()),
        (_END_DIRECTIVES, [pk for _, pk in directives]),
        (_END_BOUND, [row.pk for row in bound]),
        (_END_PERMITS, difference.withdrawn_ids),
    ):
        if wanted:
            await connection.execute(statement, {"wanted": list(wanted), "version": version})
    return [
        *ends(LISTING, (row_key(*one) for one in listings.items())),
        *ends(DIRECTIVE, (row_key(*one) for one in directives)),
        *ends(BOUND_DOCUMENT, (row_key(row.person, row.pk) for row in bound)),
        *ends(PERMIT, difference.withdrawn_ids),
    ]


async def _begin_listings(
    connection: AsyncConnection, sealed: Sequence[SealedEntry], version: int
) -> list[Named]:
    pks = await _numbers(connection, listing, len(sealed))
    officers = [(pk, row) for pk, entry in zip(pks, sealed, strict=True) for row in entry.officers]
    officer_pks = await _numbers(connection, officer_link, len(officers))
    pk_of = {
        (listing_pk, row.ordinal): officer_pk
        for officer_pk, (listing_pk, row) in zip(officer_pks, officers, strict=True)
    }
    listing_rows = [
        _without(entry.listing._asdict(), "line", "content") | {"pk": pk, "from_version": version}
        for pk, entry in zip(pks, sealed, strict=True)
    ]
    officer_rows = [
        _without(row._asdict(), "line", "ordinal")
        | {"pk": pk_of[listing_pk, row.ordinal], "listing_pk": listing_pk}
        for listing_pk, row in officers
    ]
    document_rows = [
        _without(row._asdict(), "line", "ordinal")
        | {
            "listing_pk": pk,
            "officer_pk": None if row.ordinal is None else pk_of[pk, row.ordinal],
        }
        for pk, entry in zip(pks, sealed, strict=True)
        for row in entry.documents
    ]
    await _insert(connection, listing, listing_rows)
    await _insert(connection, officer_link, officer_rows)
    await _insert(connection, document, document_rows)
    return [
        _named(LISTING, entry.listing.id, pk, entry.listing.content)
        for pk, entry in zip(pks, sealed, strict=True)
    ]


async def _begin_permits(
    connection: AsyncConnection, sealer: Sealer, difference: Difference, version: int
) -> list[Named]:
    rows = _permits(sealer, difference, version)
    await _insert(connection, permit, rows)
    opened = ((granted.document.number, granted.ground) for granted, _, _ in difference.permits)
    digest = sealer.vault.digest
    begun = [
        Named(PERMIT, row["id"], permit_digest(digest, SimpleNamespace(**row), *words))
        for row, words in zip(rows, opened, strict=True)
    ]
    withdrawn = [row["id"] for row in rows if row["until_version"] is not None]
    return [*begun, *ends(PERMIT, withdrawn)]


def _named(kind: str, known_by: str, pk: int, digest: bytes) -> Named:
    return Named(kind, row_key(known_by, pk), digest)


def _directives(sealer: Sealer, difference: Difference, version: int) -> list[dict[str, Any]]:
    return [
        {
            "listing_id": listing_id,
            "kind": one.kind,
            "on": one.on,
            **_sealed_ground(sealer, listing_id, one),
            "measures": one.measures,
            "token": None if one.document is None else one.document.token,
            "issuer": None if one.document is None else one.document.issuer,
            "court": one.court,
            "from_version": version,
        }
        for listing_id, one in difference.directives
    ]


def _sealed_ground(sealer: Sealer, listing_id: str, one: Directive) -> dict[str, Any]:
    """Return the columns of the ground: of a delisting in clear, of a retention sealed."""
    if one.kind is not DirectiveKind.RETENTION or one.ground is None:
        return {"ground": one.ground, "basis": None}
    return {
        "ground": None,
        "basis": sealer.vault.seal(one.ground, DIRECTIVE_BASIS, listing_id),
    }


def _without(row: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in fields}


def _bound(
    sealer: Sealer, loaded: LoadedLedger, ledger: Ledger, difference: Difference, version: int
) -> list[dict[str, Any]]:
    rows = []
    for key, person in difference.bound:
        if earlier := loaded.bound_rows.get(key):
            kind, number = earlier.type, earlier.number
        else:
            bound = ledger.documents[key]
            sealed = sealer.vault.seal(bound.number, BOUND_NUMBER, key.token.hex())
            kind, number = bound.type, sealed
        row = {"person": person, "type": kind, "number": number} | key._asdict()
        rows.append(row | {"from_version": version})
    return rows


def _permits(sealer: Sealer, difference: Difference, version: int) -> list[dict[str, Any]]:
    return [
        {
            "id": granted.id,
            "digest": digest,
            "type": granted.document.type,
            "number": sealer.vault.seal(granted.document.number, PERMIT_NUMBER, granted.id),
            **sealer.document_key(granted.document)._asdict(),
            "services": granted.services,
            "valid_from": granted.valid_from,
            "valid_until": granted.valid_until,
            "uses": granted.uses,
            "court": granted.court,
            "ground": sealer.vault.seal(granted.ground, PERMIT_GROUND, granted.id),
            "kind": granted.kind,
            "from_version": version,
            "until_version": version if withdrawn else None,
        }
        for granted, digest, withdrawn in difference.permits
    ]


async def _numbers(connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
    """Return numbers for new rows, so that other rows can name them before they are written."""
    if not count:
        return ()
    taken = await connection.execute(_NEXT_NUMBERS, {"table": table.name, "count": count})
    return taken.scalars().all()


async def _insert_numbered(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]
) -> list[Any]:
    """Insert rows under numbers that are taken first, and return the rows with their numbers."""
    pks = await _numbers(connection, table, len(rows))
    numbered = [row | {"pk": pk} for pk, row in zip(pks, rows, strict=True)]
    await _insert(connection, table, numbered)
    return [SimpleNamespace(**row) for row in numbered]


async def _insert(
    connection: AsyncConnection, table: Table, rows: Collection[dict[str, Any]]
) -> None:
    if rows:
        await connection.execute(insert(table), list(rows))


_NEXT_NUMBERS = text(
    "SELECT nextval(pg_get_serial_sequence(:table, 'pk')) FROM generate_series(1, :count)"
)


def _ending(table: Table, key: str, kind: Any) -> Any:
    wanted = bindparam("wanted", type_=ARRAY(kind))
    return (
        update(table).where(table.c[key] == any_(wanted)).values(until_version=bindparam("version"))
    )


_TOKENS = (
    select(document.c.token)
    .distinct()
    .where(document.c.listing_pk == any_(bindparam("wanted", type_=ARRAY(BigInteger))))
)
_END_LISTINGS = _ending(listing, "pk", BigInteger)
_END_DIRECTIVES = _ending(directive, "pk", BigInteger)
_END_BOUND = _ending(bound_document, "pk", BigInteger)
_END_PERMITS = _ending(permit, "id", Text)
