"""Describes the rows of the list for the journal, and verifies what is derived from them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from checker.domain.document import Document, DocumentType
from checker.errors import ConfigurationError
from checker.journal.entries import Area
from checker.journal.kinds import Digests, Kind, each_digested
from checker.registry.contents import (
    BOUND_DOCUMENT,
    CHANGE,
    DIRECTIVE,
    LISTING,
    PERMIT,
    PERMIT_ANSWER,
    PERMIT_RETURN,
    PERMIT_USE,
    DocumentContent,
    OfficerContent,
    UseKey,
    bound_digest,
    change_digest,
    directive_digest,
    document_content,
    in_order,
    listing_digest,
    permit_digest,
    use_answer_digest,
    use_digest,
    use_return_digest,
)
from checker.registry.journaling import end_of, purge_of
from checker.registry.schema import document, officer_link
from checker.registry.sealing import (
    ANY_SHAPE,
    BOUND_NUMBER,
    DOCUMENT_NUMBER,
    OFFICER_NAME,
    PARTY_NAME,
    PERMIT_GROUND,
    PERMIT_NUMBER,
    Sealer,
    listed_shape,
    opened_ground,
)
from checker.registry.stored_entries import listed_document

_wanted = bindparam("wanted", type_=ARRAY(BigInteger))
_OFFICERS = select(officer_link).where(officer_link.c.listing_pk == any_(_wanted))
_DOCUMENTS = select(document).where(document.c.listing_pk == any_(_wanted))


def list_kinds(sealer: Sealer) -> tuple[Kind, ...]:
    """Describe changes, and all rows that a change begins or ends."""
    digest, vault = sealer.vault.digest, sealer.vault

    def bound(row: Any) -> bytes:
        number = vault.open(row.number, BOUND_NUMBER, row.token.hex())
        _require_token(sealer, row, number)
        return bound_digest(digest, row, number)

    def granted(row: Any) -> bytes:
        if row.purged_at is not None:
            return _purged(row, row.number or row.token or row.ground)
        number = vault.open(row.number, PERMIT_NUMBER, row.id)
        _require_token(sealer, row, number)
        return permit_digest(digest, row, number, vault.open(row.ground, PERMIT_GROUND, row.id))

    digests: dict[str, Digests] = {
        LISTING: _listing_digests(sealer),
        DIRECTIVE: each_digested(
            lambda row: directive_digest(digest, row, opened_ground(vault, row))
        ),
        BOUND_DOCUMENT: each_digested(bound),
        PERMIT: each_digested(granted),
    }
    change = Kind(
        area=Area.LIST,
        name=CHANGE,
        rows="SELECT CAST(version AS text) AS key, version, kind, at, accepted, rejected,"
        " replace(CAST(change_id AS text), '-', '') AS change_id,"
        " replace(CAST(history AS text), '-', '') AS history FROM change",
        digests=each_digested(lambda row: change_digest(digest, row)),
    )
    begun = [_begins(kind, digests[kind]) for kind in _KEYS]
    purged = [_purges(kind) for kind in (LISTING, PERMIT)]
    return (change, *begun, *(_ends(kind) for kind in _KEYS), *purged)


def permit_kinds(sealer: Sealer) -> tuple[Kind, ...]:
    """Describe the uses of permits, the answers that rest on them, and the uses given back."""
    digest = sealer.vault.digest
    begun = Kind(
        area=Area.PERMITS,
        name=PERMIT_USE,
        rows=_USES,
        digests=each_digested(lambda row: use_digest(digest, _use(row), row.at)),
    )
    answers = Kind(
        area=Area.PERMITS,
        name=PERMIT_ANSWER,
        rows="SELECT decision_id || '#' || permit_answer.number AS key,"
        " CAST(0 AS bigint) AS version, permit.id, claim, permit_answer.number,"
        " CAST(decision_id AS text) AS decision_id"
        " FROM permit_answer JOIN permit ON permit.pk = permit_answer.permit_pk",
        digests=each_digested(lambda row: use_answer_digest(digest, _use(row), row.decision_id)),
    )
    returned = Kind(
        area=Area.PERMITS,
        name=PERMIT_RETURN,
        rows=f"{_USES} WHERE returned_at IS NOT NULL",
        digests=each_digested(
            lambda row: use_return_digest(digest, _use(row), row.returned_at, row.returned_by)
        ),
    )
    return begun, answers, returned


_USES: Final = (
    "SELECT permit.id || '#' || encode(claim, 'hex')"
    " || CASE WHEN permit_use.number = 0 THEN '' ELSE '#' || permit_use.number END AS key,"
    " CAST(0 AS bigint) AS version, permit.id, claim, permit_use.number, at, returned_at,"
    " CAST(returned_by AS text) AS returned_by"
    " FROM permit_use JOIN permit ON permit.pk = permit_use.permit_pk"
)


def _use(row: Any) -> UseKey:
    return UseKey(row.id, row.claim, row.number)


def _listing_digests(sealer: Sealer) -> Digests:
    async def digests(connection: AsyncConnection, rows: Sequence[Any]) -> list[bytes | str]:
        wanted = {"wanted": [row.pk for row in rows]}
        officers: dict[int, list[Any]] = {}
        for row in await connection.execute(_OFFICERS, wanted):
            officers.setdefault(row.listing_pk, []).append(row)
        documents: dict[tuple[int, int | None], list[Any]] = {}
        for row in await connection.execute(_DOCUMENTS, wanted):
            documents.setdefault((row.listing_pk, row.officer_pk), []).append(row)
        return [_listing(sealer, row, officers.get(row.pk, ()), documents) for row in rows]

    return digests


def _listing(
    sealer: Sealer,
    row: Any,
    officers: Sequence[Any],
    documents: dict[tuple[int, int | None], list[Any]],
) -> bytes | str:
    """Digest one listing as it stands in its rows; a text says why it cannot be digested."""
    opened = sealer.vault.open
    try:
        if row.purged_at is not None:
            is_left = officers or any(pk == row.pk for pk, _ in documents)
            return _purged(row, is_left or row.party_name or row.case_number)
        party = opened(row.party_name, PARTY_NAME, row.id)
        of_party = _documents(sealer, row.id, documents.get((row.pk, None), ()), party)
        of_officers = []
        for each in officers:
            name = opened(each.name, OFFICER_NAME, row.id)
            own = _documents(sealer, row.id, documents.get((row.pk, each.pk), ()), name)
            of_officers.append(OfficerContent(each.role, name, each.resolved, in_order(own)))
    except ConfigurationError as error:
        return str(error)
    return listing_digest(sealer.vault.digest, row, row.digest, party, of_party, of_officers)


def _documents(
    sealer: Sealer, listing_id: str, rows: Sequence[Any], name: str
) -> list[DocumentContent]:
    """Open the documents of a holder, and make their tokens again."""
    contents = []
    for row in rows:
        number = sealer.vault.open(row.number, DOCUMENT_NUMBER, listing_id, row.token.hex())
        if row.derived:
            # The journal has the document. The dictionary behind the keys of names may change, so
            # the row need not be one of those that would be derived today.
            continue
        if row.token != sealer.listed_token(listed_document(row, number), name):
            raise ConfigurationError("a token is not the one of its document")
        if row.shape not in {ANY_SHAPE, listed_shape(listed_document(row, number))}:
            raise ConfigurationError("a shape is not the one of its document")
        if row.name_token != sealer.name_token(name):
            raise ConfigurationError("a token is not the one of its name")
        contents.append(document_content(row, number))
    return contents


def _require_token(sealer: Sealer, row: Any, number: str) -> None:
    found = sealer.document_token(Document(type=DocumentType(row.type), number=number))
    if found != row.token:
        raise ConfigurationError("a token is not the one of its document")


_KEYS: Final = {
    LISTING: "id || '#' || pk",
    DIRECTIVE: "listing_id || '#' || pk",
    BOUND_DOCUMENT: "person || '#' || pk",
    PERMIT: "id",
}
"""How a row of each table is named."""


def _begins(kind: str, digests: Digests) -> Kind:
    rows = f"SELECT {_KEYS[kind]} AS key, from_version AS version, {kind}.* FROM {kind}"  # noqa: S608 - ours
    tokens = () if kind == LISTING else ("token",)
    return Kind(area=Area.LIST, name=kind, rows=rows, digests=digests, tokens=tokens)


def _purges(kind: str) -> Kind:
    rows = (
        f"SELECT {_KEYS[kind]} AS key, CAST(0 AS bigint) AS version FROM {kind}"  # noqa: S608 - ours
        " WHERE purged_at IS NOT NULL"
    )
    return Kind(area=Area.LIST, name=purge_of(kind), rows=rows, digests=None)


def _purged(row: Any, left: object) -> bytes:
    """Return the digest that was entered for a row, because a purged row has no content."""
    if left:
        raise ConfigurationError("a purged row has content")
    entered: bytes = row.entered_digest
    return entered


def _ends(kind: str) -> Kind:
    rows = (
        f"SELECT {_KEYS[kind]} AS key, until_version AS version FROM {kind}"  # noqa: S608 - ours
        " WHERE until_version IS NOT NULL"
    )
    return Kind(area=Area.LIST, name=end_of(kind), rows=rows, digests=None)
