"""Reads one document of a subject from the rows of the list.

A row reaches the document directly, or through documents that are bound to one person. A passport
on that way is compared by its issuer (`checker.domain.issuer`):

| issuers on the way | the listing reaches |
|---|---|
| all the same, or no passport | as its number and name say |
| one of them unknown | with the same name; without a name as a doubt; else not at all |
| two of them different | not at all |

A hit on a masked number is compared character by character, because the index hides more than the
list does. A distinction takes a listing away from this document, and from no other document.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from cache.token import Token
from checker.domain.document import Document, DocumentType
from checker.domain.issuer import IssuerMatch, canonical_issuer, compare_issuers
from checker.domain.listing_kind import ListingKind
from checker.domain.masking import ORGANIZATIONS, MaskedNumber
from checker.domain.name import names_agree
from checker.domain.permit import Permit, PermitKind
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.standing import Link, ListingRef, Match
from checker.registry.document_key import DocumentKey
from checker.registry.prepared_check import PreparedSubject
from checker.registry.sealing import (
    BOUND_NUMBER,
    DOCUMENT_NUMBER,
    OFFICER_NAME,
    PARTY_NAME,
    PERMIT_GROUND,
    PERMIT_NUMBER,
    Sealer,
)
from checker.registry.standing_rows import RowKind
from checker.vault import Vault


class Trace(NamedTuple):
    """The way of a listing to a subject: the subject's document, and the listed token.

    `issuer` is the issuer that the list shows of the subject's passport, if the list shows one.
    """

    listing_id: str
    document: DocumentKey
    listed_token: Token
    issuer: str | None = None


class FoundDocument(NamedTuple):
    """The links and permits of one document, without repetition.

    `persons` are the persons that the document is bound to, and `names` the tokens of the names
    under which the list has it. Both are of sure hits alone.
    """

    links: Sequence[Link] = ()
    permits: Sequence[Permit] = ()
    traces: Sequence[Trace] = ()
    persons: frozenset[str] = frozenset()
    names: frozenset[bytes] = frozenset()


def found_document(
    subject: PreparedSubject, claim: bytes | None, rows: Sequence[Any], sealer: Sealer
) -> FoundDocument:
    """Return what the rows of all tokens of a subject with one document say of it."""
    vault = sealer.vault
    document = subject.document or _recovered(subject, rows, vault)
    name_token = None if subject.name is None else sealer.name_token(subject.name)
    key = DocumentKey(subject.token, None if document is None else document.known_issuer)
    distinguished = _distinguished(key, rows, is_known=document is not None)
    links: dict[Link, None] = {}
    permits: dict[Permit, None] = {}
    traces: dict[Trace, None] = {}
    persons: set[str] = set()
    names: set[bytes] = set()
    for row in rows:
        match row["row_kind"]:
            case RowKind.LINK:
                found = _match(subject, document, name_token, row, vault)
                if found is None or row["listing_id"] in distinguished:
                    continue
                # A company listed by its uscc and its organization code is one party.
                links[_link(found, row)] = None
                shown = row["issuer"] if row["is_own"] else row["asked_issuer"]
                traces[Trace(row["listing_id"], key, Token(row["token"]), shown)] = None
                if found in _SURE:
                    names.add(row["name_token"])
            case RowKind.PERMIT:
                if _issuers(document, row, vault) is not IssuerMatch.OTHER:
                    permits[_permit(claim, row, vault)] = None
            case RowKind.BINDING if _own_issuers(document, row["issuer"]) is IssuerMatch.SAME:
                persons.add(row["person"])
    return FoundDocument(
        tuple(links), tuple(permits), tuple(traces), frozenset(persons), frozenset(names)
    )


_SURE = frozenset({Match.DOCUMENT, Match.NAME_DIFFERS})


def _distinguished(key: DocumentKey, rows: Iterable[Any], *, is_known: bool) -> frozenset[str]:
    """Return the listings that never reach this very document.

    A passport of an unknown issuer is another document than that of a known one. Of a document that
    is known by its token alone, the issuer is not compared.
    """
    return frozenset(
        row["listing_id"]
        for row in rows
        if row["row_kind"] == RowKind.DISTINCTION
        and row["asked"] == key.token
        and (not is_known or row["issuer"] == key.issuer)
    )


def _issuers(document: Document | None, row: Any, vault: Vault) -> IssuerMatch:
    """Compare the issuers of all passports on the way from the document to the row."""
    if row["is_own"]:
        return _own_issuers(document, row["issuer"])
    first = _own_issuers(document, row["asked_issuer"])
    if row["type"] != DocumentType.PASSPORT or first is IssuerMatch.OTHER:
        return first
    bound, listed = row["source_issuer"], row["issuer"]
    number = "" if bound is not None and listed is not None else _number(row, vault)
    second = compare_issuers(bound, listed, number)
    return first if second is IssuerMatch.SAME else second


def _own_issuers(document: Document | None, issuer: str | None) -> IssuerMatch:
    """Compare the issuer of the document with that of a row of the same number."""
    if document is None or document.type is not DocumentType.PASSPORT:
        return IssuerMatch.SAME
    return compare_issuers(document.known_issuer, issuer, document.number)


def _number(row: Any, vault: Vault) -> str:
    if row["row_kind"] == RowKind.PERMIT:
        return vault.open(row["number"], PERMIT_NUMBER, row["permit_id"])
    if row["row_kind"] == RowKind.BINDING:
        return vault.open(row["number"], BOUND_NUMBER, row["token"].hex())
    return vault.open(row["number"], DOCUMENT_NUMBER, row["listing_id"], row["token"].hex())


def _recovered(subject: PreparedSubject, rows: Iterable[Any], vault: Vault) -> Document | None:
    """Return the passport of a subject that is known by token and issuer, from its own row.

    Return None if no issuer is known, or no row has the passport: then no issuers are compared.
    """
    if subject.issuer is None:
        return None
    for row in rows:
        is_own = row["row_kind"] == RowKind.BINDING or row["is_own"]
        if is_own and row["type"] == DocumentType.PASSPORT:
            number = _number(row, vault)
            issuer = canonical_issuer(subject.issuer, number) or UNSET
            return Document(type=DocumentType.PASSPORT, number=number, issuer=issuer)
    return None


def _match(
    subject: PreparedSubject,
    document: Document | None,
    name_token: Token | None,
    row: Any,
    vault: Vault,
) -> Match | None:
    """Return how well the row of a link fits; None: it is somebody else's."""
    if row["masked"]:
        if subject.document is None:
            return None
        masked = MaskedNumber(pattern=_number(row, vault))
        return Match.MASKED if masked.matches(subject.document.number) else None
    issuers = _issuers(document, row, vault)
    if issuers is IssuerMatch.OTHER:
        return None
    if subject.document is None:
        # A subject by token was found by its name before, when its document was known.
        return Match.DOCUMENT
    if name_token is None:
        return Match.DOCUMENT if issuers is IssuerMatch.SAME else Match.ISSUER_UNKNOWN
    if name_token == row["name_token"] or _names_agree(subject, row, vault):
        return Match.DOCUMENT
    return Match.NAME_DIFFERS if issuers is IssuerMatch.SAME else None


def _names_agree(subject: PreparedSubject, row: Any, vault: Vault) -> bool:
    """Return whether the listed name is another spelling of the subject's."""
    assert subject.name is not None, "a subject without a name fits every name"
    place = PARTY_NAME if row["officer_pk"] is None else OFFICER_NAME
    listed = vault.open(row["holder_name"], place, row["listing_id"])
    return names_agree(subject.name, listed, of_person=row["type"] not in ORGANIZATIONS)


def _link(found: Match, row: Any) -> Link:
    return Link(
        role=Role(row["role"]),
        match=found,
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


def _permit(claim: bytes | None, row: Any, vault: Vault) -> Permit:
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
        ground=vault.open(row["ground"], PERMIT_GROUND, row["permit_id"]),
        kind=None if row["permit_kind"] is None else PermitKind(row["permit_kind"]),
    )
