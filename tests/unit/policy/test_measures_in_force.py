"""Every row of the contract's sections 3, 3a and 3b, for each role, place and kind of listing."""

from collections.abc import Iterator

import msgspec
import pytest

from checker.domain.decision import Outcome, ReasonCode
from checker.domain.effective_policy import EffectivePolicy
from checker.domain.jurisdiction import NATION, parse_jurisdiction
from checker.domain.listing_kind import ListingKind
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import Insurance, PrivateSchool, Resort, Service, ServiceType
from checker.domain.service_terms import ResortVenue, TrainClass
from checker.domain.standing import Link, Standing
from checker.policy.loader import builtin_policies, load_policies
from tests.support.every_service import LEIZHOU, LISTING, NOW, SET, services
from tests.support.measure_row import Answer, Row, expected
from tests.support.measure_table import TRAINS, rows
from tests.support.violations import assert_none

BOOK = load_policies(builtin_policies(), SET)
STRICT = load_policies(builtin_policies(), SET, spc_rule_binds_dishonest=True)
TABLE = [(row, msgspec.convert(row.service, Service)) for row in rows()]
PLACES = [NATION, parse_jurisdiction("44"), LEIZHOU]
ENTRY, ORDER = ListingKind.DISHONEST, ListingKind.CONSUMPTION_ORDER


def listed(role: Role, *kinds: ListingKind) -> Standing:
    return Standing(
        links=tuple(
            Link(role=role, kind=kind, listing=msgspec.structs.replace(LISTING, id=kind))
            for kind in kinds
        )
    )


def answer(
    standing: Standing, service: Service, policy: EffectivePolicy, *, to_organization: bool = False
) -> Answer:
    decision = decide(standing, service, policy=policy, now=NOW, to_organization=to_organization)
    return decision.outcome, [(reason.code, reason.measure) for reason in decision.reasons]


def wrong_cells(
    policy: EffectivePolicy, place: str, *kinds: ListingKind, **bound: bool
) -> Iterator[str]:
    for row, service in TABLE:
        for role in Role:
            got = answer(listed(role, *kinds), service, policy)
            if got != expected(row, role, place, **bound):
                yield f"{row.service} by {role}: {got}"


@pytest.mark.parametrize("place", PLACES)
def test_an_entry_is_restricted_as_the_two_documents_say(place: str) -> None:
    assert_none(wrong_cells(BOOK.effective(parse_jurisdiction(place)), place, ENTRY))


@pytest.mark.parametrize("place", PLACES)
def test_an_order_restricts_as_the_rule_on_consumption_says(place: str) -> None:
    policy = BOOK.effective(parse_jurisdiction(place))
    assert_none(wrong_cells(policy, place, ORDER, is_entry=False, is_order=True))


@pytest.mark.parametrize("place", PLACES)
def test_the_rule_binds_entries_too_where_the_settings_say_so(place: str) -> None:
    policy = STRICT.effective(parse_jurisdiction(place))
    assert_none(wrong_cells(policy, place, ENTRY, is_order=True))
    assert_none(wrong_cells(policy, place, ORDER, is_entry=False, is_order=True))


@pytest.mark.parametrize("place", PLACES)
def test_a_person_with_an_entry_and_an_order_is_bound_by_both(place: str) -> None:
    policy = BOOK.effective(parse_jurisdiction(place))
    assert_none(wrong_cells(policy, place, ENTRY, ORDER, is_order=True))


@pytest.mark.parametrize("place", PLACES)
def test_an_organization_is_not_bound_by_what_binds_persons_alone(place: str) -> None:
    policy = BOOK.effective(parse_jurisdiction(place))

    def wrong() -> Iterator[str]:
        for row, service in TABLE:
            bound: Row = Row(row.service, None, None) if row.persons_only else row
            got = answer(listed(Role.DEBTOR, ENTRY), service, policy, to_organization=True)
            if got != expected(bound, Role.DEBTOR, place):
                yield f"{row.service}: {got}"

    assert_none(wrong())


def test_an_order_with_items_restricts_these_types_alone() -> None:
    policy = BOOK.effective(LEIZHOU)
    link = listed(Role.DEBTOR, ORDER).links[0]

    def wrong() -> Iterator[str]:
        for item in ServiceType:
            limited = msgspec.structs.replace(link, items=frozenset({item}))
            for row, service in TABLE:
                binds = row.service["type"] == item
                got = answer(Standing(links=(limited,)), service, policy)
                if got != expected(row, Role.DEBTOR, "440882", is_entry=False, is_order=binds):
                    yield f"{row.service} under an order on {item}: {got}"

    assert_none(wrong())


def test_the_table_has_every_service_and_every_class_of_train() -> None:
    assert {row.service["type"] for row, _ in TABLE} == set(ServiceType)
    letters = {"" if one is TrainClass.ORDINARY else one.value for one in TrainClass}
    assert set(TRAINS.values()) == letters
    asked = [service for _, service in TABLE]
    assert [each for each in services() if each not in asked] == []


def expected_without_settings(service: Service) -> set[ReasonCode]:
    """Return the reason for a review; empty: the service needs no setting."""
    match service:
        case PrivateSchool() | Insurance(cash_value=True):
            return {ReasonCode.THRESHOLD_UNSET}
        case Resort(venue=venue) if venue is not ResortVenue.UNRATED:
            return {ReasonCode.CAP_UNSET}
    return set()


def test_without_settings_an_amount_is_for_a_person_to_judge() -> None:
    policy = load_policies(builtin_policies(), {}).effective(LEIZHOU)
    decided = {
        ReasonCode.RESTRICTED,
        ReasonCode.REFERENCE,
        ReasonCode.SEAT_UNCLEAR,
    }

    def wrong_amounts() -> Iterator[str]:
        for service in services():
            decision = decide(listed(Role.DEBTOR, ENTRY), service, policy=policy, now=NOW)
            codes = {reason.code for reason in decision.reasons}
            wanted = expected_without_settings(service)
            if wanted:
                is_right = codes == wanted and decision.outcome is Outcome.REVIEW
            else:
                is_right = codes <= decided
            if not is_right or decision.spending is not None:
                yield f"{service}: {decision} is not {wanted or 'decided'}"

    assert_none(wrong_amounts())


def test_the_measures_are_all_those_that_the_table_names_in_the_order_of_the_documents() -> None:
    named = {
        measure
        for row, _ in TABLE
        for place in ("CN", "440882")
        for _, measure in expected(row, "debtor", place, is_order=True)[1]
    }
    ids = [measure.id for measure in BOOK.measures]
    assert set(ids) == named
    order = ["cn-2016-64", "cn-spc-2015-17", "leizhou"]
    assert ids == sorted(
        ids, key=lambda each: (order.index(each.split("/")[0]), each.split("/")[1])
    )


def test_every_measure_names_section_title_and_source() -> None:
    numerals = "一二三四五六七八九"
    numbers = {"cn-2016-64": "中办发〔2016〕64号", "cn-spc-2015-17": "法释〔2015〕17号"}
    for measure in BOOK.measures:
        described = measure.describe()
        policy, section = described.id.split("/")
        chapter, part, *item = section.split(".")
        numeral = numerals[int(part) - 1]
        if policy == "cn-spc-2015-17":
            assert described.section == f"第三条第一款（{numeral}）"
            assert described.listing_kinds == (ORDER,)
            assert described.roles == tuple(Role)
        else:
            assert chapter == "2"
            assert described.section == f"二（{numeral}）{''.join(item)}"
            assert described.listing_kinds == (ENTRY,)
        assert described.jurisdiction == ("440882" if policy == "leizhou" else "CN")
        assert described.source.number == numbers.get(policy)
        assert all((described.services, described.title.zh, described.title.en))


def test_the_local_plan_alone_names_authorities() -> None:
    authorities = {measure.id: measure.describe().authorities for measure in BOOK.measures}
    for measure, named in authorities.items():
        assert bool(named) is measure.startswith("leizhou/")
    assert authorities["leizhou/2.1.3"] == ("市民政局",)
    assert authorities["leizhou/2.7.1"] == ("市人民法院",)
    assert authorities["leizhou/2.7.4"] == ("市公安局", "市文广旅体局")
