"""Each operation of the court's feed holds when it is answered, whoever is asked next."""

from datetime import datetime, timedelta, timezone

import httpx
import pytest

from checker.domain.clock import SystemClock, shanghai_day
from checker.domain.deadlines import Deadlines, DueBasis
from checker.domain.standing import last_overdue
from checker.policy.calendar import builtin_calendar
from tests.support.asking import codes
from tests.support.changing import Court, Stranger, ask_everywhere, outcome_everywhere
from tests.support.running_service import RunningService
from tests.support.town import USCC, Line, document, listing, officer

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

HOTEL = {"type": "lodging", "star_rating": 4}
SHANGHAI = timezone(timedelta(hours=8))
DEADLINES = Deadlines(calendar=builtin_calendar(), basis=DueBasis.CALENDAR_ROLL)
GROUNDS = ("fulfilled", "settled", "terminated", "corrected")


@pytest.fixture(scope="module")
def says(court: httpx.Client) -> Court:
    return Court(court)


@pytest.fixture
def stranger(says: Court) -> Stranger:
    """Somebody who is on the list."""
    somebody = Stranger()
    says.do(somebody.listed())
    return somebody


def day(days: int) -> str:
    """A day in Shanghai, so many days from today."""
    return (datetime.now(SHANGHAI).date() + timedelta(days=days)).isoformat()


def test_a_listing_is_in_force_on_every_worker_when_it_is_answered(
    service: RunningService, says: Court
) -> None:
    for _ in range(5):
        somebody = Stranger()
        says.do(somebody.listed())
        assert outcome_everywhere(service, somebody.number) == "deny"
        says.do(somebody.about("delist", ground="fulfilled", on=day(0)))
        assert outcome_everywhere(service, somebody.number) == "allow"


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_delisting_frees_at_once_on_each_ground(
    service: RunningService, says: Court, stranger: Stranger, ground: str
) -> None:
    says.do(stranger.about("delist", ground=ground))
    assert ask_everywhere(service, stranger.number)["reasons"] == []


def test_a_delisting_on_a_day_to_come_does_not_free_before_it(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.about("delist", ground="settled", on=day(1)))
    assert outcome_everywhere(service, stranger.number) == "deny"


def test_who_is_listed_again_after_a_delisting_is_refused_again(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.about("delist", ground="terminated"), stranger.listed())
    assert outcome_everywhere(service, stranger.number) == "deny"


def test_a_shielded_listing_reaches_nobody_until_it_is_unshielded(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    says.do(stranger.about("shield"))
    assert outcome_everywhere(service, stranger.number) == "allow"
    says.do(stranger.about("unshield"))
    assert outcome_everywhere(service, stranger.number) == "deny"


@pytest.mark.parametrize(("later", "code"), [(1, "restricted"), (0, "removal_overdue")])
def test_after_the_due_day_of_its_removal_a_listing_no_longer_denies(
    service: RunningService, says: Court, stranger: Stranger, later: int, code: str
) -> None:
    overdue = last_overdue(shanghai_day(SystemClock().now()), DEADLINES)
    says.do(stranger.about("fulfil", on=(overdue + timedelta(days=later)).isoformat()))
    answer = ask_everywhere(service, stranger.number)
    assert answer["decision"] == {"restricted": "deny", "removal_overdue": "review"}[code]
    assert codes(answer) == [(code, "cn-2016-64/2.7.1")]


def test_overdue_removals_are_counted(
    operator: httpx.Client, says: Court, stranger: Stranger
) -> None:
    before = operator.get("/v1/list").json()["overdue_removals"]
    says.do(stranger.about("fulfil", on=day(-20)))
    assert operator.get("/v1/list").json()["overdue_removals"] == before + 1
    says.do(stranger.about("delist", ground="fulfilled"))
    assert operator.get("/v1/list").json()["overdue_removals"] == before


def company(*officers: Line) -> Line:
    party = {"type": "organization", "name": "示例公司", "documents": [document(USCC, "uscc")]}
    return {"op": "list", "listing": listing("changed-company", party, officers=list(officers))}


def test_officers_are_replaced_as_a_set(service: RunningService, says: Court) -> None:
    left, stays, comes = Stranger(), Stranger(), Stranger()
    says.do(company(*(officer("principal", each.name, each.number) for each in (left, stays))))
    now = [officer("actual_controller", each.name, each.number) for each in (stays, comes)]
    says.do({"op": "officers", "listing_id": "changed-company", "officers": now})
    assert outcome_everywhere(service, left.number) == "allow"
    for each in (stays, comes):
        [reason] = ask_everywhere(service, each.number)["reasons"]
        assert reason["role"] == "actual_controller"
    says.do({"op": "officers", "listing_id": "changed-company", "officers": []})
    assert outcome_everywhere(service, stays.number) == "allow"


def test_three_documents_bound_in_two_steps_are_one_person(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    number, passport = document(stranger.number), document(stranger.passport, "passport")
    permit = document("H12345678", "hk_macao_permit")
    says.do({"op": "bind", "documents": [passport, permit]})
    assert outcome_everywhere(service, stranger.passport, kind="passport") == "allow"
    says.do({"op": "bind", "documents": [number, passport]})
    for each in (number, passport, permit):
        assert outcome_everywhere(service, each["number"], kind=each["type"]) == "deny"
    says.do(stranger.about("delist", ground="corrected"))
    for each in (number, passport, permit):
        assert outcome_everywhere(service, each["number"], kind=each["type"]) == "allow"


def test_retained_measures_stay_after_the_end_and_no_others(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    kept = {"measures": ["cn-2016-64/2.7.1"], "basis": "（2016）粤0882执1号之一"}
    says.do(
        stranger.about("retain", until=day(1), **kept), stranger.about("delist", ground="settled")
    )
    assert codes(ask_everywhere(service, stranger.number)) == [("restricted", "cn-2016-64/2.7.1")]
    assert outcome_everywhere(service, stranger.number, HOTEL) == "allow"


def test_a_retention_whose_end_has_come_keeps_nothing(
    service: RunningService, says: Court, stranger: Stranger
) -> None:
    kept = {"measures": ["cn-2016-64/2.7.1"], "basis": "（2016）粤0882执1号之一"}
    says.do(
        stranger.about("retain", until=day(0), **kept), stranger.about("delist", ground="settled")
    )
    assert outcome_everywhere(service, stranger.number) == "allow"


def test_a_feed_that_comes_twice_changes_nothing_the_second_time(
    service: RunningService, says: Court
) -> None:
    somebody = Stranger()
    lines = (
        somebody.listed(),
        somebody.about("shield"),
        somebody.about("fulfil", on=day(-1)),
        somebody.permit("P"),
        {
            "op": "bind",
            "documents": [document(somebody.number), document(somebody.passport, "passport")],
        },
    )
    first = says.do(*lines)
    assert says.do(*lines) == first
    assert outcome_everywhere(service, somebody.number) == "allow"


def test_a_strict_feed_is_all_or_nothing(service: RunningService, says: Court) -> None:
    somebody = Stranger()
    wrong = {"op": "shield", "listing_id": "nobody's"}
    report = says.say(somebody.listed(), wrong, strict="true")
    assert report["accepted"] == 0
    assert [(line["line"], line["code"]) for line in report["rejected"]] == [(2, "unknown-listing")]
    assert outcome_everywhere(service, somebody.number) == "allow"
    assert says.say(somebody.listed(), somebody.about("shield"), strict="true")["accepted"] == 2


def test_lines_are_applied_in_their_order(service: RunningService, says: Court) -> None:
    somebody = Stranger()
    assert says.rejections(somebody.about("shield"), somebody.listed()) == [(1, "unknown-listing")]
    assert outcome_everywhere(service, somebody.number) == "deny"
