"""Reads the part of the record that a batch of operations touches.

The number of statements does not grow with the batch. The caller holds `Lock.LIST_WRITER`, so the
state does not change before the batch is written. The content of a listing stands sealed in its
rows. It is opened only if an operation needs it.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import ARRAY, Select, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from cache.token import Token
from checker.database.token_column import TokenColumn
from checker.domain.listing_kind import ListingKind
from checker.registry.document_key import DocumentKey
from checker.registry.entry import ListingEntry, PartyType
from checker.registry.ledger import Ledger
from checker.registry.ledger_state import Directive, DirectiveKind, ListingState, PermitState
from checker.registry.operations import (
    Bind,
    GrantPermit,
    List,
    Operation,
    RemoveOfficer,
    ReplaceOfficers,
    WithdrawPermit,
    listing_id_of,
)
from checker.registry.permit_schema import permit
from checker.registry.schema import bound_document, directive, listing
from checker.registry.sealing import Sealer, opened_ground
from checker.registry.stored_entries import read_entries


class BoundRow(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a `bound_document` row that a later row of the same document repeats."""

    pk: int
    person: str
    type: str
    number: bytes


class LoadedLedger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger as the registry has it, and the numbers of its rows.

    `listing_pks` has the latest row of each id. The rows of the ids in `open_ids` have no end.
    """

    ledger: Ledger
    listing_pks: dict[str, int]
    open_ids: frozenset[str]
    directive_pks: dict[tuple[str, Directive], int]
    bound_rows: dict[DocumentKey, BoundRow]


class _Touched:
    """The ids and tokens that operations name."""

    def __init__(self, operations: Iterable[Operation], sealer: Sealer) -> None:
        self.listing_ids: set[str] = set()
        self.read_ids: set[str] = set()
        self.tokens: set[Token] = set()
        self.permit_ids: set[str] = set()
        for operation in operations:
            match operation:
                case Bind(documents=documents):
                    self.tokens.update(map(sealer.document_token, documents))
                case GrantPermit(permit=granted):
                    self.permit_ids.add(granted.id)
                case WithdrawPermit(permit_id=permit_id):
                    self.permit_ids.add(permit_id)
                case _:
                    self.listing_ids.add(listing_id_of(operation))
            if isinstance(operation, ReplaceOfficers | RemoveOfficer):
                self.read_ids.add(operation.listing_id)
            if isinstance(operation, List) and operation.spare_id is not None:
                self.listing_ids.add(operation.spare_id)


async def load(
    connection: AsyncConnection, sealer: Sealer, operations: Iterable[Operation], today: date
) -> LoadedLedger:
    """Return the state that operations touch, as it is on `today`."""
    touched = _Touched(operations, sealer)
    directives: dict[str, set[Directive]] = {}
    directive_pks: dict[tuple[str, Directive], int] = {}
    for row in await _rows(connection, _DIRECTIVES, touched.listing_ids):
        one = Directive(
            kind=DirectiveKind(row.kind),
            on=row.on,
            ground=opened_ground(sealer.vault, row),
            measures=None if row.measures is None else tuple(row.measures),
            document=None if row.token is None else DocumentKey(Token(row.token), row.issuer),
            court=row.court,
        )
        directives.setdefault(row.listing_id, set()).add(one)
        directive_pks[row.listing_id, one] = row.pk
    latest = await _rows(connection, _LISTINGS, touched.listing_ids)
    readable = [
        row.pk
        for row in latest
        if row.id in touched.read_ids and row.is_open and row.purged_at is None
    ]
    entries = await read_entries(connection, sealer, readable)
    bound = await _rows(connection, _BOUND, touched.tokens)
    permits = await _rows(connection, _PERMITS, touched.permit_ids)
    ledger = Ledger(
        sealer=sealer,
        new_person=lambda: str(uuid4()),
        listings={
            row.id: _state(row, frozenset(directives.get(row.id, ())), entries.get(row.pk), today)
            for row in latest
        },
        persons={_key(row): row.person for row in bound},
        permits={
            row.id: PermitState(
                digest=row.digest, court=row.court, withdrawn=row.until_version is not None
            )
            for row in permits
        },
    )
    return LoadedLedger(
        ledger=ledger,
        listing_pks={row.id: row.pk for row in latest},
        open_ids=frozenset(row.id for row in latest if row.is_open),
        directive_pks=directive_pks,
        bound_rows={
            _key(row): BoundRow(pk=row.pk, person=row.person, type=row.type, number=row.number)
            for row in bound
        },
    )


def _key(row: Any) -> DocumentKey:
    return DocumentKey(Token(row.token), row.issuer)


def _state(
    row: Any, directives: frozenset[Directive], entry: ListingEntry | None, today: date
) -> ListingState:
    state = ListingState(
        digest=row.digest,
        court=row.court,
        party_type=PartyType(row.party_type),
        kind=ListingKind(row.kind),
        in_force=row.is_open and row.purged_at is None,
        entry=entry,
        directives=directives,
    )
    delisting = state.directed(DirectiveKind.DELISTING)
    if delisting is not None and delisting.on is not None and delisting.on <= today:
        return msgspec.structs.replace(state, in_force=False)
    return state


async def _rows(
    connection: AsyncConnection, statement: Select[Any], wanted: Iterable[Any]
) -> Sequence[Any]:
    """Return the rows for the `wanted` keys; without a key no statement runs."""
    values = list(wanted)
    if not values:
        return ()
    rows: Sequence[Any] = (await connection.execute(statement, {"wanted": values})).all()
    return rows


def _wanted(kind: Any) -> Any:
    return any_(bindparam("wanted", type_=ARRAY(kind)))


_is_open = listing.c.until_version.is_(None).label("is_open")
_LISTINGS = (
    select(
        listing.c.pk,
        listing.c.id,
        listing.c.digest,
        listing.c.court,
        listing.c.party_type,
        listing.c.kind,
        listing.c.purged_at,
        _is_open,
    )
    .ext(distinct_on(listing.c.id))
    .where(listing.c.id == _wanted(Text))
    .order_by(listing.c.id, listing.c.from_version.desc())
)
_DIRECTIVES = select(directive).where(
    directive.c.listing_id == _wanted(Text), directive.c.until_version.is_(None)
)
# Whole groups: what binds one of their documents moves all.
_BOUND = select(bound_document).where(
    bound_document.c.until_version.is_(None),
    bound_document.c.person.in_(
        select(bound_document.c.person).where(
            bound_document.c.token == _wanted(TokenColumn),
            bound_document.c.until_version.is_(None),
        )
    ),
)
_PERMITS = select(permit.c.id, permit.c.digest, permit.c.court, permit.c.until_version).where(
    permit.c.id == _wanted(Text)
)
