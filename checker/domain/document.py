"""Documents: kind and number as sent, their one spelling, and the key that finds them.

The number of a document never appears in a representation or an error.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, assert_never

import msgspec
from msgspec import UNSET, UnsetType

from checker.domain.errors import InvalidDocument, InvalidReason
from checker.domain.issuer import STATES, canonical_issuer
from checker.domain.organization import ORG_CODE, canonical_org_code, canonical_uscc
from checker.domain.resident_id import canonical_resident_id
from checker.domain.text import compact
from checker.domain.travel_document import (
    EXIT_ENTRY_PERMIT,
    HK_MACAO_PERMIT,
    PASSPORT,
    TAIWAN_PERMIT,
    canonical_permanent_resident_id,
)

ORGANIZATION_KIND: Final = "organization"
"""The kind under which usccs and organization codes are looked up together."""


class DocumentType(StrEnum):
    """The kind of a document."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_PERMANENT_RESIDENT_ID = "foreign_permanent_resident_id"
    EXIT_ENTRY_PERMIT = "exit_entry_permit"
    USCC = "uscc"
    ORG_CODE = "org_code"
    NET_ID = "net_id"
    """网号: a number of the public identity service. No list has one, so nobody can be looked up
    by it.
    """


_Issuer = Annotated[
    str, msgspec.Meta(min_length=3, max_length=3, extra_json_schema={"pattern": "^[A-Z]{3}$"})
]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Kind and number of a document, 1 to 64 characters, as sent or normalised.

    `issuer` is the state that issued a passport, by ISO 3166-1 alpha-3. Other kinds have none. A
    normalised document has no issuer where its number shows the issuer.
    """

    type: DocumentType
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    issuer: _Issuer | UnsetType = UNSET

    @property
    def known_issuer(self) -> str | None:
        """The issuer that was given, or None."""
        return None if self.issuer is UNSET else self.issuer

    def __repr__(self) -> str:
        return f"Document(type={self.type.value!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("type", self.type.value)]


def normalize(document: Document, today: date) -> Document:
    """Return `document` in its one spelling. Normalising twice gives the same as once.

    Half width, upper case, no spaces or hyphens. A resident ID of 15 digits becomes one of 18. A
    permit loses the digits that change with each issue. `today` is the day in Asia/Shanghai.

    Raises `InvalidDocument`: the number can be on no list, the issuer is no state, or the kind of
    document has no issuer.
    """
    number = _canonical(document.type, compact(document.number), today)
    if document.issuer is not UNSET:
        return _issued(document.type, number, document.issuer)
    if number == document.number:
        return document
    return Document(type=document.type, number=number)


def _issued(kind: DocumentType, number: str, sent: str) -> Document:
    if kind is not DocumentType.PASSPORT:
        raise InvalidDocument(InvalidReason.ISSUER_MISPLACED)
    if sent not in STATES:
        raise InvalidDocument(InvalidReason.ISSUER)
    return Document(type=kind, number=number, issuer=canonical_issuer(sent, number) or UNSET)


def normalize_listed(document: Document, today: date) -> Document:
    """Return a document of the list in its one spelling.

    Raises `InvalidDocument`: as `normalize`, or no list can know this kind of document.
    """
    if document.type is DocumentType.NET_ID:
        raise InvalidDocument(InvalidReason.NOT_LISTED)
    return normalize(document, today)


def lookup_key(document: Document) -> tuple[str, str]:
    """Return (kind, text) under which a normalised document is listed and looked up.

    A uscc and the organization code inside it have one key, so each finds the other. A residence
    card of 18 characters and a resident ID also have one key: they share one range of numbers, and
    terminals read both by the same field.
    """
    match document.type:
        case DocumentType.RESIDENT_ID:
            return document.type, document.number
        case DocumentType.USCC:
            return ORGANIZATION_KIND, document.number[ORG_CODE]
        case DocumentType.ORG_CODE:
            return ORGANIZATION_KIND, document.number
        case DocumentType.FOREIGN_PERMANENT_RESIDENT_ID if len(document.number) == 18:
            return DocumentType.RESIDENT_ID, document.number
        case _:
            return document.type, document.number


_FORMS: Final = {
    DocumentType.PASSPORT: PASSPORT,
    DocumentType.HK_MACAO_PERMIT: HK_MACAO_PERMIT,
    DocumentType.TAIWAN_PERMIT: TAIWAN_PERMIT,
    DocumentType.EXIT_ENTRY_PERMIT: EXIT_ENTRY_PERMIT,
}


def _canonical(kind: DocumentType, number: str, today: date) -> str:
    match kind:
        case DocumentType.RESIDENT_ID:
            return canonical_resident_id(number, today)
        case DocumentType.USCC:
            return canonical_uscc(number)
        case DocumentType.ORG_CODE:
            return canonical_org_code(number)
        case (
            DocumentType.PASSPORT
            | DocumentType.HK_MACAO_PERMIT
            | DocumentType.TAIWAN_PERMIT
            | DocumentType.EXIT_ENTRY_PERMIT
        ):
            return _FORMS[kind].canonical(number)
        case DocumentType.FOREIGN_PERMANENT_RESIDENT_ID:
            return canonical_permanent_resident_id(number, today)
        case DocumentType.NET_ID:
            if not number:
                raise InvalidDocument(InvalidReason.LENGTH)
            return number
        case _:
            assert_never(kind)
