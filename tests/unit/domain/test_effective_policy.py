"""Clauses, conditions and their three answers: holds, does not, or no figure is set."""

import pytest

from checker.domain.deadlines import Deadlines, DueBasis
from checker.domain.decision import ReasonCode
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.jurisdiction import NATION
from checker.domain.measure import (
    AtLeast,
    AtLeastSetting,
    Clause,
    Condition,
    Effect,
    Is,
    Measure,
    OneOf,
    Source,
    Title,
)
from checker.domain.role import Role
from checker.domain.service import Insurance, Lodging, Service, ServiceType
from checker.domain.service_terms import NationalGrade
from checker.domain.settings import Settings, Threshold
from checker.policy.calendar import builtin_calendar

PREMIUM = AtLeastSetting(field="annual_premium_fen", threshold=Threshold.HIGH_PREMIUM)
CASH = Is(field="cash_value", value=True)
TITLE = Title(zh="示例", en="Demo")
SET = Settings(high_premium_fen=100)
DEADLINES = Deadlines(calendar=builtin_calendar(), basis=DueBasis.CALENDAR_ROLL)
UNSET = Settings()


def clause(
    *conditions: Condition,
    service: ServiceType = ServiceType.INSURANCE,
    roles: frozenset[Role] = frozenset({Role.DEBTOR}),
) -> Clause:
    return Clause(service=service, roles=roles, effect=Effect.RESTRICT, conditions=conditions)


def codes(
    service: Service, *clauses: Clause, settings: Settings = SET
) -> dict[Role, ReasonCode] | None:
    measure = Measure(
        id="demo/1",
        jurisdiction=NATION,
        source=Source(title=TITLE, number=None),
        section="一",
        title=TITLE,
        authorities=(),
        clauses=clauses,
    )
    found = EffectivePolicy((measure,), settings, DEADLINES).applications(service)
    return dict(found[0].codes) if found else None


def insurance(premium_fen: int, *, cash_value: bool = True) -> Insurance:
    return Insurance(cash_value=cash_value, annual_premium_fen=premium_fen)


@pytest.mark.parametrize(
    ("conditions", "settings", "code"),
    [
        ((), SET, ReasonCode.RESTRICTED),
        ((CASH, PREMIUM), SET, ReasonCode.RESTRICTED),
        ((CASH, PREMIUM), UNSET, ReasonCode.THRESHOLD_UNSET),
        ((PREMIUM, CASH), UNSET, ReasonCode.THRESHOLD_UNSET),
        ((Is(field="cash_value", value=False), PREMIUM), UNSET, None),
        ((PREMIUM, Is(field="cash_value", value=False)), UNSET, None),
        ((AtLeast(field="annual_premium_fen", least=100),), UNSET, ReasonCode.RESTRICTED),
        ((AtLeast(field="annual_premium_fen", least=101),), UNSET, None),
        ((PREMIUM,), Settings(high_premium_fen=101), None),
        ((PREMIUM,), Settings(high_premium_fen=0), ReasonCode.RESTRICTED),
    ],
)
def test_a_clause_is_open_only_while_every_other_condition_holds(
    conditions: tuple[Condition, ...], settings: Settings, code: ReasonCode | None
) -> None:
    expected = None if code is None else {Role.DEBTOR: code}
    assert codes(insurance(100), clause(*conditions), settings=settings) == expected


@pytest.mark.parametrize("is_reversed", [False, True])
def test_of_two_clauses_the_stronger_gives_the_code(*, is_reversed: bool) -> None:
    both = [clause(PREMIUM), clause(CASH, roles=frozenset({Role.DEBTOR, Role.PRINCIPAL}))]
    if is_reversed:
        both.reverse()
    assert codes(insurance(1), *both, settings=UNSET) == {
        Role.DEBTOR: ReasonCode.RESTRICTED,
        Role.PRINCIPAL: ReasonCode.RESTRICTED,
    }


def test_a_field_that_is_not_given_is_none_of_any_words() -> None:
    graded = clause(
        OneOf(field="national_grade", values=frozenset({"first"})), service=ServiceType.LODGING
    )
    assert codes(Lodging(star_rating=0), graded) is None
    first = Lodging(star_rating=0, national_grade=NationalGrade.FIRST)
    assert codes(first, graded) == {Role.DEBTOR: ReasonCode.RESTRICTED}


def test_a_clause_about_another_service_says_nothing() -> None:
    assert codes(insurance(100), clause(service=ServiceType.AIR)) is None
