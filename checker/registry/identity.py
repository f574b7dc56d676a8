"""The words that identify a record which came without an id of its listing.

The words are normalised, so a record keeps its id however it is spelt: width, case, spaces, the
brackets and the old form of a case number, a number with or without hyphens. The id is a keyed hash
of the words (`Sealer.listing_id`) and reveals nothing of them.

The words of a record that is spelt as the platform spells it have not changed since the first
version, so such a record has kept its id. `checker.registry.known_ids` finds the ids that a record
in any other spelling got before.
"""

import re
import unicodedata
from datetime import date
from typing import Any, Final

from cache.token import Token
from checker.domain.listing_kind import ListingKind
from checker.domain.name import normalize_name
from checker.domain.text import without_spaces
from checker.registry.entry import Holder, ListingEntry
from checker.registry.sealing import Sealer

Reach = frozenset[tuple[str, Token]]
"""The officers that a listing reaches: role and token of a document."""

_BRACKETS: Final = str.maketrans("()[]{}<>〔〕【】〈〉《》「」〖〗", "（）" * 10)
# As courts have written case numbers since 2016; nothing in such a number is folded.
_USUAL_CASE = re.compile(
    "（[12][0-9]{3}）(?:(?![字第])[\u4e00-\u9fa5])+[0-9]*(?:(?![字第])[\u4e00-\u9fa5])+[1-9][0-9]*号"
).fullmatch
_YEAR = re.compile(r"\A（?([12][0-9]{3})(?![0-9])[）年度]*")
_ZEROS = re.compile(r"(?<=[^0-9（])[字第]*0*(?=[1-9][0-9]*号)")


def identity_words(entry: ListingEntry) -> str:
    """Return the words by which a record differs from every other: court, case, party and day.

    An order (限制消费令) is another listing than an entry of the same case. An order against an
    organization names one person with it, and belongs to the identity with this name.
    """
    documents = entry.party.documents
    words = [
        court_words(entry.court),
        case_words(entry.case_number),
        entry.party_type,
        normalize_name(entry.party.name),
        _number(documents[0]) if documents else "",
        str(entry.published_on),
    ]
    if entry.kind is not ListingKind.DISHONEST:
        words.insert(0, entry.kind)
        words += sorted(normalize_name(officer.holder.name) for officer in entry.officers)
    return "\n".join(words)


def court_words(court: str) -> str:
    """Return the name of a court as it is compared."""
    return without_spaces(unicodedata.normalize("NFKC", court.replace("\0", "")))


def case_words(case_number: str) -> str:
    """Return a case number as it is compared.

    Brackets are full-width and stand around the year. The words 字第 of old numbers, and zeros in
    front of the number, are left out. A number without 号 gets it.
    """
    if _USUAL_CASE(case_number):
        return case_number
    text = without_spaces(unicodedata.normalize("NFKC", case_number)).translate(_BRACKETS)
    text = f"{text}号" if text[-1:].isdecimal() else text
    text = _YEAR.sub(r"（\1）", text)
    return _ZEROS.sub("", text)


def may_be_one_day(one: date | None, other: date | None) -> bool:
    """Return whether two days of publication can be the same day; an unknown day may be any."""
    return one is None or other is None or one == other


def tokens_of(sealer: Sealer, holder: Holder) -> list[Token]:
    """Return the tokens under which a holder stands in the list."""
    return [sealer.listed_token(one, holder.name) for one in holder.documents]


def reach_of(sealer: Sealer, entry: ListingEntry) -> Reach:
    """Return the officers that an entry reaches."""
    return frozenset(
        (officer.role.value, token)
        for officer in entry.officers
        if officer.role is not None
        for token in tokens_of(sealer, officer.holder)
    )


def spare_id(sealer: Sealer, entry: ListingEntry) -> str:
    """Return the id of a record if another record, that reaches other officers, has its own id."""
    reached = sorted(f"{role}:{token.hex()}" for role, token in reach_of(sealer, entry))
    return sealer.listing_id("\n".join([identity_words(entry), "reaches", *reached]))


def _number(document: Any) -> str:
    number = document.number
    return number if isinstance(number, str) else number.pattern
