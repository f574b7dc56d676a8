"""The parts that all operations have in common as they are sent."""

from datetime import date

import msgspec

from checker.domain.document import Document, normalize_listed
from checker.domain.errors import InvalidDocument
from checker.formats.listing import invalid_document


class OneOperation(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"
):
    """One operation; `op` is its kind."""


def whole_document(document: Document, today: date, under: str) -> Document:
    """Return a document in its normal form; `under` is its JSON pointer in the line.

    Raises:
        LineRejected: characters of the number are hidden, or the document can be on no list.
    """
    try:
        return normalize_listed(document, today)
    except InvalidDocument as error:
        raise invalid_document(error, under) from None
