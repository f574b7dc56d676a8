"""Reads listings back from their rows, as the entries that the rows were made of."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from sqlalchemy import ARRAY, BigInteger, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.domain.document import Document, DocumentType
from checker.domain.listing_kind import ListingKind
from checker.domain.masking import MaskedNumber
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.registry.entry import Holder, ListingEntry, MaskedDocument, OfficerEntry, PartyType
from checker.registry.schema import document, listing, officer_link
from checker.registry.sealing import DOCUMENT_NUMBER, OFFICER_NAME, PARTY_NAME, Sealer

_wanted = any_(bindparam("wanted", type_=ARRAY(BigInteger)))
_CONTENTS = select(listing).where(listing.c.pk == _wanted)
_OFFICERS = select(officer_link).where(officer_link.c.listing_pk == _wanted)
_DOCUMENTS = select(document).where(document.c.listing_pk == _wanted, ~document.c.derived)


async def read_entries(
    connection: AsyncConnection, sealer: Sealer, pks: Sequence[int]
) -> dict[int, ListingEntry]:
    """Return the contents of listings by the numbers of their rows. Without a number, read none."""
    if not pks:
        return {}
    wanted, opened = {"wanted": list(pks)}, sealer.vault.open
    contents = {row.pk: row for row in await connection.execute(_CONTENTS, wanted)}
    documents: dict[tuple[int, int | None], list[Document | MaskedDocument]] = {}
    for row in await connection.execute(_DOCUMENTS, wanted):
        listing_id = contents[row.listing_pk].id
        number = opened(row.number, DOCUMENT_NUMBER, listing_id, row.token.hex())
        held = documents.setdefault((row.listing_pk, row.officer_pk), [])
        held.append(listed_document(row, number))
    officers: dict[int, list[OfficerEntry]] = {}
    for row in await connection.execute(_OFFICERS, wanted):
        name = opened(row.name, OFFICER_NAME, contents[row.listing_pk].id)
        holder = Holder(name=name, documents=tuple(documents.get((row.listing_pk, row.pk), ())))
        role = None if row.role is None else Role(row.role)
        officers.setdefault(row.listing_pk, []).append(OfficerEntry(role=role, holder=holder))
    return {
        row.pk: ListingEntry(
            id=row.id,
            case_number=row.case_number,
            court=row.court,
            filed_on=row.filed_on,
            published_on=row.published_on,
            expires_on=row.expires_on,
            public=row.public,
            party_type=PartyType(row.party_type),
            party=Holder(
                name=opened(row.party_name, PARTY_NAME, row.id),
                documents=tuple(documents.get((row.pk, None), ())),
            ),
            officers=tuple(officers.get(row.pk, ())),
            kind=ListingKind(row.kind),
            items=None if row.items is None else tuple(map(ServiceType, row.items)),
            starts_on=row.starts_on,
        )
        for row in contents.values()
    }


def listed_document(row: Any, number: str) -> Document | MaskedDocument:
    """Return the document of a row and its opened number."""
    if row.masked:
        return MaskedDocument(type=row.type, number=MaskedNumber(pattern=number))
    return Document(type=DocumentType(row.type), number=number, issuer=row.issuer or UNSET)
