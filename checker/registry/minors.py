"""Refuses a listing of a person under 18 (contract, section 5)."""

from datetime import date

from checker.domain.adulthood import is_minor
from checker.domain.document import DocumentType
from checker.registry.entry import Holder, LineRejected, ListingEntry, RejectCode

_WITH_BIRTH_DATE = frozenset({DocumentType.RESIDENT_ID, DocumentType.FOREIGN_PERMANENT_RESIDENT_ID})


def require_adults(entry: ListingEntry, under: str = "") -> None:
    """Raise LineRejected if a number shows that its holder is under 18 on the day of filing.

    `under` is the JSON pointer of the listing in its line. Without a day of filing nothing is
    decided.
    """
    if entry.filed_on is None:
        return
    _require_adult(entry.party, entry.filed_on, f"{under}/party")
    for index, officer in enumerate(entry.officers):
        _require_adult(officer.holder, entry.filed_on, f"{under}/officers/{index}")


def _require_adult(holder: Holder, filed_on: date, place: str) -> None:
    for document in holder.documents:
        number = document.number if isinstance(document.number, str) else document.number.pattern
        if document.type in _WITH_BIRTH_DATE and is_minor(number, filed_on):
            raise LineRejected(RejectCode.MINOR, f"{place} is under 18 on the day of filing")
