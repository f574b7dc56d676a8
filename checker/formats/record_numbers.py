"""Finds the document that a number in a record of the courts' platform must be.

A record gives a number without the kind of its document. The shape of the number says the kind:

| shape of a person's number                    | kind                             |
|-----------------------------------------------|----------------------------------|
| H or M, 8 or 10 digits                        | `hk_macao_permit`                |
| HA or MA, 7 digits                            | `hk_macao_permit`, since 2024    |
| 10 digits, and a letter or `(B)`              | `taiwan_permit`, a booklet       |
| 3 letters, 12 digits                          | `foreign_permanent_resident_id`  |
| 1 or 2 letters, 7 or 8 digits                 | `passport`                       |
| any other                                     | `resident_id`, whole or masked   |

An organization has an organization code of nine characters, or a uscc. A number that its kind does
not allow raises InvalidDocument: no other kind is guessed.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from checker.domain.document import Document, DocumentType
from checker.domain.errors import InvalidDocument
from checker.domain.text import compact
from checker.formats.listing import read_document
from checker.registry.entry import MaskedDocument, PartyType

ListedDocument = Document | MaskedDocument

_ORG_CODE_LENGTH = 9
_WHOLE_LENGTH = 18
_HIDING_SIGN = re.compile("[^0-9A-Z()]")
_LETTER = re.compile("[A-Z]")
PERSONAL_SHAPES: Final = (
    (re.compile(r"[HM](?:[0-9]{8}|[0-9]{10}|A[0-9]{7})"), DocumentType.HK_MACAO_PERMIT),
    (re.compile(r"[0-9]{10}(?:[A-Z]|\([A-Z0-9]\))"), DocumentType.TAIWAN_PERMIT),
    (re.compile(r"[A-Z]{3}[0-9]{12}"), DocumentType.FOREIGN_PERMANENT_RESIDENT_ID),
    (re.compile(r"[A-Z]{1,2}[0-9]{7,8}"), DocumentType.PASSPORT),
)


def personal_type(number: str) -> DocumentType:
    """Return the kind of document that a person's compact number has by its shape."""
    kinds = (kind for shape, kind in PERSONAL_SHAPES if shape.fullmatch(number))
    return next(kinds, DocumentType.RESIDENT_ID)


def read_personal_number(text: str, today: date) -> ListedDocument:
    """Return a person's document. Raises InvalidDocument if the number can be nobody's."""
    number = compact(text)
    return read_document(Document(type=personal_type(number), number=number[:64]), today)


def read_organization_code(text: str, today: date) -> ListedDocument:
    """Return an organization's document. Raises InvalidDocument if no organization can have it."""
    number = compact(text)
    kind = DocumentType.ORG_CODE if len(number) == _ORG_CODE_LENGTH else DocumentType.USCC
    return read_document(Document(type=kind, number=number[:64]), today)


class PartyNumber(NamedTuple):
    """The document that a party's number is, and the kind of party that this number shows.

    `document` is None if the number can be nobody's; `error` then gives the reason. `certain` is
    None if a person and an organization may both have the number.
    """

    document: ListedDocument | None
    certain: PartyType | None
    error: InvalidDocument | None = None


def read_party_number(text: str, declared: PartyType | None, today: date) -> PartyNumber:
    """Return what a number shows of a party that is said to be of the kind `declared`.

    A resident ID of 18 characters and an organization's code have check digits. So the number is
    certain if it cannot be the declared party's. Of masked numbers only one with letters inside is
    certain: it is a uscc.
    """
    number = compact(text)
    hides = _HIDING_SIGN.search(number) is not None
    if hides and len(number) == _WHOLE_LENGTH and _LETTER.search(number[:-1]):
        return _reading(read_organization_code, number, today, PartyType.ORGANIZATION)
    if declared is PartyType.ORGANIZATION:
        own, other = read_organization_code, read_personal_number
    else:
        own, other = read_personal_number, read_organization_code
    found = _reading(own, number, today, None)
    if found.document is not None and declared is not None:
        return found
    against = _reading(other, number, today, _OTHER[declared])
    is_certain = isinstance(against.document, Document)
    if found.document is not None:  # nothing is declared
        is_whole = isinstance(found.document, Document) and len(number) == _WHOLE_LENGTH
        sure = is_whole and not is_certain
        return found._replace(certain=PartyType.PERSON if sure else None)
    if is_certain and (own is read_personal_number or len(number) == _WHOLE_LENGTH):
        return against
    return found


_OTHER: Final = {
    None: PartyType.ORGANIZATION,
    PartyType.PERSON: PartyType.ORGANIZATION,
    PartyType.ORGANIZATION: PartyType.PERSON,
}


def _reading(
    read: Callable[[str, date], ListedDocument],
    number: str,
    today: date,
    certain: PartyType | None,
) -> PartyNumber:
    try:
        return PartyNumber(read(number, today), certain)
    except InvalidDocument as error:
        return PartyNumber(None, None, error)
