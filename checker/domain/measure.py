"""Measures: the restriction of one section of one legal document, as data.

A measure applies if any of its clauses applies. A clause applies if the role is one of its roles
and all of its conditions hold.
"""

from enum import StrEnum
from typing import Final

import msgspec

from checker.domain.jurisdiction import Jurisdiction
from checker.domain.listing_kind import ListingKind
from checker.domain.role import Role
from checker.domain.service import ServiceType
from checker.domain.settings import Threshold


class Effect(StrEnum):
    """The effect of a clause."""

    RESTRICT = "restrict"
    CAP = "cap"
    REFERENCE = "reference"
    """The section asks for prudence, not for refusal (审慎性参考, 从严审核)."""
    UNCLEAR = "unclear"
    """No text settles whether the section restricts the seat."""


DISHONEST_ALONE: Final = frozenset({ListingKind.DISHONEST})


class OneOf(msgspec.Struct, frozen=True, kw_only=True, tag="one_of"):
    """The field is one of `values`."""

    field: str
    values: frozenset[str]


class AtLeast(msgspec.Struct, frozen=True, kw_only=True, tag="at_least"):
    """The field is `least` or more."""

    field: str
    least: int


class AtLeastSetting(msgspec.Struct, frozen=True, kw_only=True, tag="at_least_setting"):
    """The field is the figure set for the place or more; unknown if no figure is set."""

    field: str
    threshold: Threshold


class Is(msgspec.Struct, frozen=True, kw_only=True, tag="is"):
    """The field is `value`."""

    field: str
    value: bool


Condition = OneOf | AtLeast | AtLeastSetting | Is


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a measure applies; without conditions, to every service of its type.

    `persons_only`: organizations are not restricted.
    """

    service: ServiceType
    roles: frozenset[Role]
    effect: Effect
    conditions: tuple[Condition, ...]
    persons_only: bool = False


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """A title in Chinese and English."""

    zh: str
    en: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The legal document of a measure; `number` is its 文号, if it has one."""

    title: Title
    number: str | None


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One section: `id` is policy and section (`cn-2016-64/2.7.1`), `section` as printed.

    The measure binds listings of `listing_kinds` alone.
    """

    id: str
    jurisdiction: Jurisdiction
    source: Source
    section: str
    title: Title
    authorities: tuple[str, ...]
    clauses: tuple[Clause, ...]
    listing_kinds: frozenset[ListingKind] = DISHONEST_ALONE

    def describe(self) -> "MeasureDescription":
        """Return the measure as `GET /v1/measures` lists it."""
        services = {clause.service for clause in self.clauses}
        roles = {role for clause in self.clauses for role in clause.roles}
        return MeasureDescription(
            id=self.id,
            jurisdiction=self.jurisdiction,
            source=self.source,
            section=self.section,
            title=self.title,
            services=tuple(service for service in ServiceType if service in services),
            roles=tuple(role for role in Role if role in roles),
            authorities=self.authorities,
            listing_kinds=tuple(kind for kind in ListingKind if kind in self.listing_kinds),
        )


class MeasureDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A measure as `GET /v1/measures` lists it; `authorities` are the 责任单位.

    `listing_kinds` are the kinds of listings that the measure binds.
    """

    id: str
    jurisdiction: Jurisdiction
    source: Source
    section: str
    title: Title
    services: tuple[ServiceType, ...]
    roles: tuple[Role, ...]
    authorities: tuple[str, ...]
    listing_kinds: tuple[ListingKind, ...]
