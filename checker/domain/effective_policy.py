"""The measures and settings that hold in one place, compiled so that deciding is a few look-ups.

Conditions become closures when the policies are loaded, with the settings bound into them. A
condition has three results: it holds (True), it does not hold (False), or the place has not set the
figure (None). A clause fails if any condition does not hold. Otherwise the clause is open if any
condition is open, and holds if no condition is open.
"""

import hashlib
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import assert_never

import msgspec

from checker.domain.deadlines import Deadlines
from checker.domain.decision import OUTCOMES, ReasonCode
from checker.domain.listing_kind import ListingKind
from checker.domain.measure import (
    AtLeast,
    AtLeastSetting,
    Clause,
    Condition,
    Effect,
    Is,
    Measure,
    OneOf,
)
from checker.domain.role import Role
from checker.domain.service import SERVICES, Service
from checker.domain.settings import Settings

_Test = Callable[[Service], bool | None]


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """A measure that applies to a service, with the reason code for each role that it reaches.

    The measure binds listings of `listing_kinds` alone.
    """

    measure: str
    codes: Mapping[Role, ReasonCode]
    listing_kinds: frozenset[ListingKind]


class EffectivePolicy:
    """The policy of one place: `measures` in order of precedence, `settings`, and `deadlines`.

    `content` is all of it as JSON, with the basis of the deadlines. `digest` is its SHA-256: equal
    for places with the same policy.
    """

    __slots__ = ("_compiled", "content", "deadlines", "digest", "measures", "settings")

    def __init__(
        self, measures: tuple[Measure, ...], settings: Settings, deadlines: Deadlines
    ) -> None:
        self.measures = measures
        self.settings = settings
        self.deadlines = deadlines
        content = {
            "measures": measures,
            "settings": settings,
            "removal_basis": deadlines.basis,
        }
        self.content = msgspec.json.encode(content, order="deterministic")
        self.digest = hashlib.sha256(self.content).digest()
        self._compiled = {
            variant: tuple(
                _CompiledMeasure(measure, clauses, settings)
                for measure in measures
                if (clauses := [one for one in measure.clauses if one.service is service])
            )
            for service, variant in SERVICES.items()
        }

    def applications(self, service: Service, *, to_organization: bool = False) -> list[Application]:
        """Return the measures that apply to `service`, in order of precedence.

        `to_organization`: the subject is an organization.
        """
        return [
            Application(measure=measure.id, codes=codes, listing_kinds=measure.listing_kinds)
            for measure in self._compiled[type(service)]
            if (codes := measure.codes(service, to_organization=to_organization))
        ]

    def can_restrict(self, service: Service) -> bool:
        """Return whether any measure applies to `service`, for any role and kind of listing.

        False: `checker.domain.rules.decide` gives a plain `allow`, whatever the list holds.
        """
        return any(measure.codes(service) for measure in self._compiled[type(service)])


class _CompiledMeasure:
    __slots__ = ("_clauses", "id", "listing_kinds")

    def __init__(self, measure: Measure, clauses: list[Clause], settings: Settings) -> None:
        self.id = measure.id
        self.listing_kinds = measure.listing_kinds
        self._clauses = tuple(_CompiledClause(clause, settings) for clause in clauses)

    def codes(self, service: Service, *, to_organization: bool = False) -> dict[Role, ReasonCode]:
        codes: dict[Role, ReasonCode] = {}
        for clause in self._clauses:
            if to_organization and clause.persons_only:
                continue
            code = clause.code(service)
            if code is not None:
                for role in clause.roles:
                    codes[role] = _stronger(codes.get(role), code)
        return codes


class _CompiledClause:
    __slots__ = ("_code", "_tests", "persons_only", "roles")

    def __init__(self, clause: Clause, settings: Settings) -> None:
        self.roles = tuple(role for role in Role if role in clause.roles)
        self._tests = tuple(_test(condition, settings) for condition in clause.conditions)
        self._code = _code(clause.effect, settings)
        self.persons_only = clause.persons_only

    def code(self, service: Service) -> ReasonCode | None:
        is_open = False
        for test in self._tests:
            held = test(service)
            if held is None:
                is_open = True
            elif not held:
                return None
        return ReasonCode.THRESHOLD_UNSET if is_open else self._code


def _code(effect: Effect, settings: Settings) -> ReasonCode:
    match effect:
        case Effect.RESTRICT:
            return ReasonCode.RESTRICTED
        case Effect.CAP:
            return ReasonCode.CAP_UNSET if settings.resort_cap is None else ReasonCode.CAPPED
        case Effect.REFERENCE:
            return ReasonCode.REFERENCE
        case Effect.UNCLEAR:
            return ReasonCode.SEAT_UNCLEAR
        case _:
            assert_never(effect)


def _stronger(one: ReasonCode | None, other: ReasonCode) -> ReasonCode:
    if one is None or OUTCOMES[one].strength < OUTCOMES[other].strength:
        return other
    return one


def _test(condition: Condition, settings: Settings) -> _Test:
    read = attrgetter(condition.field)
    match condition:
        case OneOf(values=values):
            return lambda service: read(service) in values
        case AtLeast(least=least):
            return lambda service: read(service) >= least
        case AtLeastSetting(threshold=threshold):
            figure = settings.threshold(threshold)
            return lambda service: None if figure is None else read(service) >= figure
        case Is(value=value):
            return lambda service: read(service) is value
        case _:
            assert_never(condition)
