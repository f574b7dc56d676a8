"""Every cell of the contract's section 3: each measure × each service × each role.

The expectation is written down a second time here, from the two documents, as sets of services; it
shares nothing with the files of measures but the ids.
"""

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from checker.domain.decision import Outcome, ReasonCode
from checker.domain.jurisdiction import parse_jurisdiction
from checker.domain.role import Role
from checker.domain.rules import decide
from checker.domain.service import (
    Air,
    Construction,
    Insurance,
    Lodging,
    OutboundTour,
    PrivateSchool,
    Rail,
    RealEstate,
    Resort,
    Service,
    Vehicle,
    Venue,
)
from checker.domain.service_terms import (
    ResortVenue,
)
from checker.domain.standing import Link, Standing
from checker.policy.loader import builtin_policies, load_policies
from tests.support.violations import assert_none
from tests.unit.policy.every_service import FEE, LEIZHOU, LISTING, NOW, PREMIUM, SET, services


def train_or_plane(service: Service) -> bool:
    match service:
        case Air():
            return True
        case Rail(train=train, seat=seat):
            return (
                "soft_sleeper" in seat
                or seat == "emu_sleeper"
                or train.startswith("G")
                or (train[0] in "DCS" and seat in {"first", "premier_first", "special", "business"})
            )
    return False


def hotel(service: Service) -> bool:
    return isinstance(service, Lodging) and (service.star_rating > 0 or service.high_consumption)


def hotel_by_grade_too(service: Service) -> bool:
    return hotel(service) or (
        isinstance(service, Lodging) and service.national_grade in {"first", "special"}
    )


def venue_of(*kinds: str) -> Callable[[Service], bool]:
    return lambda service: (
        isinstance(service, Venue) and (service.kind in kinds or service.high_consumption)
    )


def hotel_or_venue(service: Service) -> bool:
    return hotel_by_grade_too(service) or venue_of("nightclub", "golf")(service)


def tour(service: Service) -> bool:
    return isinstance(service, OutboundTour)


def school(service: Service) -> bool:
    return isinstance(service, PrivateSchool) and service.annual_fee_fen >= FEE


def insurance(service: Service) -> bool:
    is_savings = isinstance(service, Insurance) and service.cash_value
    return is_savings and service.annual_premium_fen >= PREMIUM


def building_or_vehicle(service: Service) -> bool:
    return (isinstance(service, Construction) and service.work != "ordinary_renovation") or (
        isinstance(service, Vehicle) and not service.operating_necessity
    )


def buying_land(service: Service) -> bool:
    return isinstance(service, RealEstate) and service.transaction in {"purchase", "land_use_right"}


def resources_and_state_assets(service: Service) -> bool:
    return isinstance(service, RealEstate) and not buying_land(service)


def resort(service: Service) -> bool:
    return isinstance(service, Resort) and service.venue != "unrated"


def nothing(_: Service) -> bool:
    return False


Table = dict[str, tuple[Callable[[Service], bool], ...]]

# measure: what it restricts for all five roles, what for the debtor alone, what it caps for the
# debtor alone
NATIONAL: Table = {
    "cn-2016-64/2.6.1": (buying_land, resources_and_state_assets, nothing),
    "cn-2016-64/2.7.1": (train_or_plane, nothing, nothing),
    "cn-2016-64/2.7.2": (hotel_or_venue, nothing, nothing),
    "cn-2016-64/2.7.3": (tour, nothing, resort),
    "cn-2016-64/2.7.4": (school, nothing, nothing),
    "cn-2016-64/2.7.5": (insurance, nothing, nothing),
    "cn-2016-64/2.7.6": (building_or_vehicle, nothing, nothing),
}
LOCAL: Table = {
    "leizhou/2.6.1": (buying_land, resources_and_state_assets, nothing),
    "leizhou/2.7.1": (train_or_plane, nothing, nothing),
    "leizhou/2.7.2": (hotel, nothing, nothing),
    "leizhou/2.7.3": (venue_of("star_hotel"), nothing, nothing),
    "leizhou/2.7.4": (tour, nothing, resort),
    "leizhou/2.7.5": (school, nothing, nothing),
    "leizhou/2.7.6": (insurance, nothing, nothing),
    "leizhou/2.7.7": (building_or_vehicle, nothing, nothing),
}
BOOK = load_policies(builtin_policies(), SET)


def expected(table: Table, service: Service, role: Role) -> Iterator[tuple[str, ReasonCode]]:
    for measure, (for_all, for_debtor, capped) in table.items():
        if for_all(service) or (role is Role.DEBTOR and for_debtor(service)):
            yield measure, ReasonCode.RESTRICTED
        elif role is Role.DEBTOR and capped(service):
            yield measure, ReasonCode.CAPPED


def outcome_of(codes: set[ReasonCode]) -> Outcome:
    if ReasonCode.RESTRICTED in codes:
        return Outcome.DENY
    return Outcome.CAP if codes else Outcome.ALLOW


@pytest.mark.parametrize(
    ("place", "table"), [("CN", NATIONAL), ("44", NATIONAL), ("440882", NATIONAL | LOCAL)]
)
def test_each_role_is_restricted_as_the_documents_say(place: str, table: Table) -> None:
    policy = BOOK.effective(parse_jurisdiction(place))

    def wrong_cells() -> Iterator[str]:
        for service, role in product(services(), Role):
            standing = Standing(links=(Link(role=role, listing=LISTING),))
            decision = decide(standing, service, policy=policy, now=NOW)
            reasons = [(reason.measure, reason.code) for reason in decision.reasons]
            wanted = list(expected(table, service, role))
            outcome = outcome_of({code for _, code in wanted})
            if (reasons, decision.outcome) != (wanted, outcome):
                yield f"{service} by {role}: {decision} is not {outcome} for {wanted}"
            elif any(reason.role is not role for reason in decision.reasons):
                yield f"{service} by {role}: {decision} names another role"

    assert_none(wrong_cells())


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
    standing = Standing(links=(Link(role=Role.DEBTOR, listing=LISTING),))

    def wrong_cells() -> Iterator[str]:
        for service in services():
            decision = decide(standing, service, policy=policy, now=NOW)
            codes = {reason.code for reason in decision.reasons}
            wanted = expected_without_settings(service)
            if wanted:
                is_right = codes == wanted and decision.outcome is Outcome.REVIEW
            else:
                is_right = codes <= {ReasonCode.RESTRICTED}
            if not is_right or decision.spending is not None:
                yield f"{service}: {decision} is not {wanted or 'decided'}"

    assert_none(wrong_cells())


def test_the_documents_have_these_measures_in_this_order() -> None:
    assert [measure.id for measure in BOOK.measures] == [*NATIONAL, *LOCAL]


def test_every_measure_names_section_title_and_source() -> None:
    sections = {"2.6.1": "二（六）1"} | {f"2.7.{item}": f"二（七）{item}" for item in range(1, 8)}
    for measure in BOOK.measures:
        described = measure.describe()
        policy, section = described.id.split("/")
        assert described.section == sections[section]
        assert described.jurisdiction == {"cn-2016-64": "CN", "leizhou": "440882"}[policy]
        assert described.source.number == ("中办发〔2016〕64号" if policy == "cn-2016-64" else None)
        assert described.roles == tuple(Role)
        assert all((described.services, described.title.zh, described.title.en))


def test_the_local_plan_alone_names_authorities() -> None:
    authorities = {measure.id: measure.describe().authorities for measure in BOOK.measures}
    assert all(bool(named) is (measure in LOCAL) for measure, named in authorities.items())
    assert authorities["leizhou/2.7.1"] == ("市人民法院",)
    assert authorities["leizhou/2.7.4"] == ("市公安局", "市文广旅体局")
