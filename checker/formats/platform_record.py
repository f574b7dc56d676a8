"""Parts that both records of the courts' platform share: one of the list, and one of the orders."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import msgspec

from checker.decoding import decode
from checker.domain.name import normalize_name
from checker.domain.role import Role
from checker.errors import InvalidRequest
from checker.formats.feed_format import Reading
from checker.formats.listing import NAME_LENGTH_MAX, OFFICERS_MAX, TEXT_LENGTH_MAX
from checker.formats.loose_date import UnreadableDate, read_date
from checker.formats.loose_text import court_text, name_text, read_text
from checker.formats.record_numbers import ListedDocument, PartyNumber, read_party_number
from checker.formats.record_officers import KEY_LENGTH_MAX, NamedOfficer, folded_key, role_of
from checker.registry.entry import (
    Holder,
    LineRejected,
    ListingEntry,
    OfficerEntry,
    PartyType,
    RejectCode,
)
from checker.registry.identity import identity_words
from checker.registry.minors import require_adults

_decoder = msgspec.json.Decoder(dict[str, object])


class RecordFields:
    """The fields of one record, read in any shape. The spelling of their names does not count.

    `reading.drop` is called for each field that could not be read and that the listing does not
    need.
    """

    def __init__(self, line: bytes, fields: Sequence[str], reading: Reading) -> None:
        sent = _object_of(line)
        self._sent = {field: sent.get(field) for field in fields}
        if None in self._sent.values():
            folded = {folded_key(field): field for field in fields}
            for key, value in sent.items():
                field = folded.get(folded_key(key[:KEY_LENGTH_MAX]))
                if field is not None and self._sent[field] is None:
                    self._sent[field] = value
        self.reading = reading

    def raw(self, field: str) -> object:
        """Return the value of a field as it was sent, or None."""
        return self._sent.get(field)

    def text(self, field: str) -> str:
        """Return a field as text; a value that means nothing is the empty text."""
        return read_text(self.raw(field))

    def name(self, field: str) -> str:
        """Return a name, or the empty text. Raises LineRejected for a name that is too long."""
        return _bounded(name_text(self.raw(field)), field, NAME_LENGTH_MAX)

    def case_number(self, field: str) -> str:
        """Return a case number with full-width brackets, as courts write them, and half-width
        digits. Raises LineRejected if the field is missing.
        """
        narrow = unicodedata.normalize("NFKC", _needed(self.text(field), field))
        text = re.sub(r"[\s\0]", "", narrow).translate(
            str.maketrans("()〔〕[]【】", "（）（）（）（）")
        )
        return _bounded(text, field, TEXT_LENGTH_MAX)

    def court(self, field: str) -> str:
        """Return the name of the court. Raises LineRejected if the field is missing."""
        return _bounded(_needed(court_text(self.raw(field)), field), field, TEXT_LENGTH_MAX)

    def day(self, field: str) -> date | None:
        """Return a date, or None if nothing is known. An unreadable date is dropped and counted."""
        try:
            return read_date(self.raw(field))
        except UnreadableDate:
            self.reading.drop(field)
            return None

    def party_documents(
        self, field: str, number: PartyNumber | None, *, is_needed: bool
    ) -> tuple[ListedDocument, ...]:
        """Return the party's document, as it was read from a field, or no document.

        A number that cannot be read is dropped and counted if the listing reaches somebody else.

        Raises:
            LineRejected: the number is needed, and is missing or unreadable.
        """
        if number is None:
            if is_needed:
                raise LineRejected(RejectCode.NOBODY_REACHED, f"{field} is missing")
            return ()
        if number.document is None:
            if is_needed:
                detail = f"{field}: {number.error}"
                raise LineRejected(RejectCode.INVALID_DOCUMENT, detail)
            self.reading.drop(field)
            return ()
        return (number.document,)

    def party_number(self, field: str, declared: PartyType | None) -> PartyNumber | None:
        """Return what the number of a field shows of the party; None: there is no number."""
        text = self.text(field)
        return read_party_number(text, declared, self.reading.today) if text else None

    def officers(
        self, members: Iterator[NamedOfficer], field: str, *, role: Role | None = None
    ) -> tuple[OfficerEntry, ...]:
        """Return the officers of a field. An officer without a title has `role`.

        A member of which nothing can be read is an officer without a name, and is counted twice:
        among the dropped fields and among the unresolved officers.

        Raises:
            LineRejected: there are too many officers.
        """
        entries: list[OfficerEntry] = []
        for member in members:
            if len(entries) >= OFFICERS_MAX:
                detail = f"{field} has more than {OFFICERS_MAX}"
                raise LineRejected(RejectCode.INVALID_LISTING, detail)
            if not member.is_readable:
                self.reading.drop(field)
            documents = member.documents(self.reading.today)
            entries.append(
                OfficerEntry(
                    role=role_of(member.title) if member.title else role,
                    holder=Holder(name=member.name, documents=documents),
                )
            )
        return tuple(entries)


def with_own_id(entry: ListingEntry, identify: Callable[[str], str]) -> ListingEntry:
    """Return an entry under the id of its words. Raises LineRejected for a person under 18."""
    require_adults(entry)
    return msgspec.structs.replace(entry, id=identify(identity_words(entry)))


def joined_officers(
    officers: Sequence[OfficerEntry], others: Sequence[OfficerEntry]
) -> tuple[OfficerEntry, ...]:
    """Return the officers, and those of `others` who are not among them.

    Two officers of one name are one person if the other one has no number, or the same number.
    """
    documents: dict[str, set[ListedDocument]] = {}
    for officer in officers:
        own = documents.setdefault(normalize_name(officer.holder.name), set())
        own.update(officer.holder.documents)
    missing = [
        other
        for other in others
        if not other.holder.name
        or (known := documents.get(normalize_name(other.holder.name))) is None
        or not known.issuperset(other.holder.documents)
    ]
    return (*officers, *missing)


def _object_of(line: bytes) -> dict[str, object]:
    try:
        return decode(_decoder, line)
    except InvalidRequest as error:
        detail = f"the line is no record: {error.faults[0].detail}"
    sent = _read_loosely(line)
    if sent is None:
        raise LineRejected(RejectCode.INVALID_JSON, detail)
    return sent


def _read_loosely(line: bytes) -> dict[str, object] | None:
    """Return an object that Python would write and JSON does not know, or None.

    Such an object has `NaN` for nothing, or control characters within texts.
    """
    try:
        sent = json.loads(line, strict=False, parse_constant=lambda _word: None)
        json.dumps(sent, ensure_ascii=False).encode()  # no half of a surrogate pair
    except (ValueError, RecursionError):
        return None
    return sent if isinstance(sent, dict) else None


def _needed(text: str, field: str) -> str:
    if not text:
        raise LineRejected(RejectCode.INVALID_LISTING, f"{field} is missing")
    return text


def _bounded(text: str, field: str, length_max: int) -> str:
    if len(text) > length_max:
        raise LineRejected(RejectCode.INVALID_LISTING, f"{field} is over {length_max} characters")
    return text
