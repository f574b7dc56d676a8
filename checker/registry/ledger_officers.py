"""The officers of listings, as operations compare and replace them: pure."""

from collections.abc import Collection

from cache.token import Token
from checker.domain.document import Document
from checker.domain.issuer import IssuerMatch, compare_issuers
from checker.registry.document_key import DocumentKey
from checker.registry.entry import (
    LineRejected,
    ListingEntry,
    MaskedDocument,
    OfficerEntry,
    RejectCode,
)
from checker.registry.identity import reach_of
from checker.registry.ledger_state import ListingState
from checker.registry.sealing import Sealer


def reaches_others(known: ListingState | None, entry: ListingEntry, sealer: Sealer) -> bool:
    """Return whether a listing of this batch reaches other officers than the entry.

    The content of a listing from the record is not read: `intake.known_operations` has compared
    the entry with it.
    """
    if known is None or known.entry is None:
        return False
    return reach_of(sealer, known.entry) != reach_of(sealer, entry)


def officers_without(
    known: ListingState, left: Collection[DocumentKey], sealer: Sealer
) -> tuple[OfficerEntry, ...]:
    """Return the officers who have none of these documents, as the list knows documents.

    Raises:
        LineRejected: no officer has such a document.
    """
    assert known.entry is not None, "the content is read where it is needed"

    def has_left(officer: OfficerEntry) -> bool:
        name, documents = officer.holder.name, officer.holder.documents
        return any(_is_one_of(left, each, sealer.listed_token(each, name)) for each in documents)

    officers = tuple(each for each in known.entry.officers if not has_left(each))
    if len(officers) == len(known.entry.officers):
        raise LineRejected(RejectCode.INVALID_OPERATION, "no officer has this document")
    return officers


def _is_one_of(
    left: Collection[DocumentKey], document: Document | MaskedDocument, token: Token
) -> bool:
    issuers = [key.issuer for key in left if key.token == token]
    if isinstance(document, MaskedDocument):
        return bool(issuers)
    known, number = document.known_issuer, document.number
    return any(
        compare_issuers(issuer, known, number) is not IssuerMatch.OTHER for issuer in issuers
    )
