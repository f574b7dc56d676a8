"""The officers of listings, as operations compare and replace them: pure."""

from cache.token import Token
from checker.registry.entry import LineRejected, ListingEntry, OfficerEntry, RejectCode
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
    known: ListingState, left: frozenset[Token], sealer: Sealer
) -> tuple[OfficerEntry, ...]:
    """Return the officers without a document that is listed under one of these tokens.

    Raises:
        LineRejected: no officer has such a document.
    """
    assert known.entry is not None, "the content is read where it is needed"

    def has_left(officer: OfficerEntry) -> bool:
        name, documents = officer.holder.name, officer.holder.documents
        return not left.isdisjoint(sealer.listed_token(each, name) for each in documents)

    officers = tuple(each for each in known.entry.officers if not has_left(each))
    if len(officers) == len(known.entry.officers):
        raise LineRejected(RejectCode.INVALID_OPERATION, "no officer has this document")
    return officers
