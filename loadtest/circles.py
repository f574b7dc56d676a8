"""Circles: ten listings whose parties and officers know each other, and nobody outside.

A list of any size is a row of circles. Each circle is a pure function of (seed, number). So a list
streams in constant memory. To find the entries of a person, the circle of the person is made again.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from random import Random

import msgspec

from loadtest.cases import Case, Term, open_case
from loadtest.document_numbers import (
    FIRST_YEAR_OF_15_DIGITS,
    NumberSpace,
    SyntheticDocument,
    SyntheticDocumentType,
    birth_year,
    without_century,
)
from loadtest.draw import below, pick, spread
from loadtest.holders import Holder, Organization, SyntheticPerson, organization, person

LISTINGS = 10
OFFICERS_MAX = 4
PEOPLE_MAX = LISTINGS * OFFICERS_MAX
"""Indices set aside for the people of a circle: every listing a company with four officers."""

_SHARED_CASE_SHARE = 0.08
_OTHER_OFFICER_SHARE = 0.25
_KNOWN_OFFICER_SHARE = 0.15
_OLD_NUMBER_SHARE = 0.3
_FIRST_LISTING_ID = 700_000_000

_MASKS = spread([((10, 14), 90), ((12, 14), 5), ((10, 13), 5)])
"""Hidden characters [from, to). County, year and sequence stay, so that a mask fits one person."""


class CircleRole(StrEnum):
    """The role in which a listing reaches a subject (contract, section 2)."""

    DEBTOR = "debtor"
    LEGAL_REPRESENTATIVE = "legal_representative"
    PRINCIPAL = "principal"
    ACTUAL_CONTROLLER = "actual_controller"
    DIRECTLY_RESPONSIBLE = "directly_responsible"


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """The composition of a population; each field is a share of 1."""

    organization: float = 0.2
    """Of the listings with a new party: the party is a company."""
    repeated: float = 0.15
    """Of the listings after a circle's first: the party is one that has a listing already."""
    private: float = 0.05
    expired: float = 0.05
    unpublished: float = 0.01
    masked: float = 0.1
    """Of the resident IDs shown of people without a second document."""
    unresolved: float = 0.1
    """Of the officers: known by name alone."""
    elsewhere: float = 0.02
    """Of the people: they have no resident ID."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            share = getattr(self, field)
            if not 0 <= share <= 1:
                raise ValueError(f"the share {field} is {share}, not between 0 and 1")


class Appearance(msgspec.Struct, frozen=True, kw_only=True):
    """A person or company as one listing shows it; without documents, only the name is known."""

    holder: Holder
    role: CircleRole
    documents: tuple[SyntheticDocument, ...]
    is_masked: bool = False


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One listing, and the true holders of its names and numbers."""

    id: str
    case: Case
    is_public: bool
    party: Appearance
    officers: tuple[Appearance, ...]

    @property
    def appearances(self) -> tuple[Appearance, ...]:
        """The party, then the officers."""
        return (self.party, *self.officers)


def circle(
    number: int, *, space: NumberSpace, seed: int, shares: Shares, today: date
) -> tuple[Listing, ...]:
    """Return the ten listings of a circle, in the order of their ids."""
    maker = _Maker(number, space=space, seed=seed, shares=shares, today=today)
    return tuple(maker.listings())


class _Maker:
    """The state of one circle while it is made: the people in it so far."""

    def __init__(
        self, number: int, *, space: NumberSpace, seed: int, shares: Shares, today: date
    ) -> None:
        self._first_serial = number * LISTINGS
        self._next_person = number * PEOPLE_MAX
        self._space = space
        self._shares = shares
        self._today = today
        self._rng = Random(seed << 32 | number)
        self._people: list[SyntheticPerson] = []

    def listings(self) -> Iterable[Listing]:
        made: list[Listing] = []
        for place in range(LISTINGS):
            serial = self._first_serial + place
            if made and self._rng.random() < self._shares.repeated:
                earlier = pick(self._rng, made)
                case, officers = self._case(serial), earlier.officers
                party = self._appear(earlier.party.holder, CircleRole.DEBTOR)
            else:
                shares_case = bool(made) and self._rng.random() < _SHARED_CASE_SHARE
                case = made[-1].case if shares_case else self._case(serial)
                party, officers = self._new_party(serial)
            made.append(
                Listing(
                    id=str(_FIRST_LISTING_ID + serial),
                    case=case,
                    is_public=self._rng.random() >= self._shares.private,
                    party=party,
                    officers=officers,
                )
            )
        return made

    def _case(self, serial: int) -> Case:
        drawn = self._rng.random()
        if drawn < self._shares.expired:
            term = Term.EXPIRED
        elif drawn < self._shares.expired + self._shares.unpublished:
            term = Term.UNPUBLISHED
        else:
            term = Term.IN_FORCE
        return open_case(serial + 1, term, self._today, self._rng)

    def _new_party(self, serial: int) -> tuple[Appearance, tuple[Appearance, ...]]:
        if self._rng.random() >= self._shares.organization:
            return self._appear(self._new_person(), CircleRole.DEBTOR), ()
        company = organization(self._space, serial, self._rng)
        officers = [self._officer(CircleRole.LEGAL_REPRESENTATIVE, ())]
        for role in (
            CircleRole.PRINCIPAL,
            CircleRole.ACTUAL_CONTROLLER,
            CircleRole.DIRECTLY_RESPONSIBLE,
        ):
            if self._rng.random() < _OTHER_OFFICER_SHARE:
                officers.append(self._officer(role, officers))
        return self._appear(company, CircleRole.DEBTOR), tuple(officers)

    def _officer(self, role: CircleRole, others: Iterable[Appearance]) -> Appearance:
        """Draw an officer; nobody holds two offices of one company."""
        taken = {other.holder.index for other in others}
        if self._people and self._rng.random() < _KNOWN_OFFICER_SHARE:
            known = pick(self._rng, self._people)
            holder = self._new_person() if known.index in taken else known
        else:
            holder = self._new_person()
        if self._rng.random() < self._shares.unresolved:
            return Appearance(holder=holder, role=role, documents=())
        return self._appear(holder, role)

    def _new_person(self) -> SyntheticPerson:
        made = person(
            self._space, self._next_person, self._rng, elsewhere_share=self._shares.elsewhere
        )
        self._next_person += 1
        self._people.append(made)
        return made

    def _appear(self, holder: Holder, role: CircleRole) -> Appearance:
        """Return an appearance as courts write it: masked, in 15 digits, or by the inner code."""
        if isinstance(holder, Organization):
            return Appearance(holder=holder, role=role, documents=(self._company_document(holder),))
        number = holder.resident_id
        if number is None or len(holder.documents) > 1:
            return Appearance(holder=holder, role=role, documents=holder.documents)
        is_masked = self._rng.random() < self._shares.masked
        if is_masked:
            start, end = pick(self._rng, _MASKS)
            number = number[:start] + "*" * (end - start) + number[end:]
        if birth_year(number) >= FIRST_YEAR_OF_15_DIGITS and below(self._rng, 10) < 3:
            number = without_century(number)
        document = SyntheticDocument(type=SyntheticDocumentType.RESIDENT_ID, number=number)
        return Appearance(holder=holder, role=role, documents=(document,), is_masked=is_masked)

    def _company_document(self, holder: Organization) -> SyntheticDocument:
        document = holder.documents[0]
        if self._rng.random() < _OLD_NUMBER_SHARE:
            return SyntheticDocument(
                type=SyntheticDocumentType.ORG_CODE, number=document.number[8:17]
            )
        return document
