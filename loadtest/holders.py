"""People and organizations with their names and documents, from a seed and an index.

Knows no list, and no spelling of a number at a counter.
"""

from random import Random

import msgspec

from loadtest.document_numbers import (
    BIRTHDAYS,
    NumberSpace,
    SyntheticDocument,
    SyntheticDocumentType,
    is_female,
)
from loadtest.draw import pick, spread
from loadtest.names import company_name, personal_name

SECOND_DOCUMENT_SHARE = 0.04
"""Of the holders of a resident ID: these hold a passport too."""

_ELSEWHERE = spread(
    [
        ((SyntheticDocumentType.HK_MACAO_PERMIT, NumberSpace.hk_macao_permit), 50),
        ((SyntheticDocumentType.TAIWAN_PERMIT, NumberSpace.taiwan_permit), 25),
        ((SyntheticDocumentType.PASSPORT, NumberSpace.passport), 15),
        (
            (
                SyntheticDocumentType.FOREIGN_PERMANENT_RESIDENT_ID,
                NumberSpace.foreign_permanent_resident_id,
            ),
            10,
        ),
    ]
)


class SyntheticPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One person; `documents` are whole numbers, and a court would take the first."""

    index: int
    name: str
    is_female: bool
    documents: tuple[SyntheticDocument, ...]

    @property
    def resident_id(self) -> str | None:
        """The person's resident ID; None for people from elsewhere, who have none."""
        first = self.documents[0]
        return first.number if first.type is SyntheticDocumentType.RESIDENT_ID else None


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """One company, known by its uscc."""

    index: int
    name: str
    documents: tuple[SyntheticDocument, ...]


Holder = SyntheticPerson | Organization


def person(
    space: NumberSpace, index: int, rng: Random, *, elsewhere_share: float
) -> SyntheticPerson:
    """Return the person of an index; `elsewhere_share` of all people hold no resident ID."""
    if rng.random() < elsewhere_share:
        return _person_from_elsewhere(space, index, rng)
    number = space.resident_id(index, pick(rng, BIRTHDAYS))
    documents = [SyntheticDocument(type=SyntheticDocumentType.RESIDENT_ID, number=number)]
    if rng.random() < SECOND_DOCUMENT_SHARE:
        documents.append(
            SyntheticDocument(type=SyntheticDocumentType.PASSPORT, number=space.passport(index))
        )
    female = is_female(number)
    name = personal_name(rng, is_female=female)
    return SyntheticPerson(index=index, name=name, is_female=female, documents=tuple(documents))


def _person_from_elsewhere(space: NumberSpace, index: int, rng: Random) -> SyntheticPerson:
    kind, number_of = pick(rng, _ELSEWHERE)
    female = rng.random() < 0.5
    name = personal_name(rng, is_female=female)
    document = SyntheticDocument(type=kind, number=number_of(space, index))
    return SyntheticPerson(index=index, name=name, is_female=female, documents=(document,))


def organization(space: NumberSpace, index: int, rng: Random) -> Organization:
    """Return the company of an index."""
    document = SyntheticDocument(type=SyntheticDocumentType.USCC, number=space.uscc(index))
    return Organization(index=index, name=company_name(rng), documents=(document,))
