"""Numbers that can be on no list: 422, never `allow`."""

from datetime import date, timedelta

import httpx
import pytest

from tests.support.asking import G_TRAIN, pointers, problem, question
from tests.support.town import resident_id

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

TOMORROW_AND_A_DAY = (date.today() + timedelta(days=2)).strftime("%Y%m%d")  # noqa: DTZ011 - the server has the wall clock
RIGHT = resident_id("440882", "18900101", 123)
WRONG_CHECK_DIGIT = RIGHT[:17] + str((int(RIGHT[17].replace("X", "0")) + 1) % 10)

WRONG: dict[str, dict[str, str]] = {
    "resident_id": {
        "length": RIGHT[:17],
        "one more": RIGHT + "0",
        "check digit": WRONG_CHECK_DIGIT,
        "letter": "A" + RIGHT[1:],
        "X in the middle": RIGHT[:9] + "X" + RIGHT[10:],
        "masked": RIGHT[:10] + "****" + RIGHT[14:],
        "no such day": resident_id("440882", "18900230", 123),
        "no such month": resident_id("440882", "18901301", 123),
        "before 1800": resident_id("440882", "17991231", 123),
        "still to come": resident_id("440882", TOMORROW_AND_A_DAY, 123),
        "old with a letter": "44088200010112A",
        "old on no day": "440882000230123",
        "nothing but hyphens": "------",
    },
    "passport": {
        "short": "P123",
        "long": "P123456789",
        "letters": "ABCDEFG",
        "Chinese": "护照1234567",
    },
    "hk_macao_permit": {"letter": "K12345678", "short": "H1234567", "ten": "H123456789"},
    "taiwan_permit": {"short": "1234567", "letters": "AB1234567"},
    "foreign_permanent_resident_id": {
        "letters": "CH1234567890123",
        "birth date": "CHN123499023012",
        "not of 9": RIGHT,
        "check digit": "9" + RIGHT[1:17] + RIGHT[17],
    },
    "exit_entry_permit": {"short": "C12345", "letters": "ABCD123456"},
    "uscc": {
        "length": "91440882MA4UX001X",
        "check digit": "91440882MA4UX001X0",
        "letter": "91440882MA4UX0O1XX",
        "masked": "91440882****X001XX",
    },
    "org_code": {"length": "MA4UX001", "check digit": "MA4UX0010", "character": "MA4U_001X"},
}
CASES = [(kind, number) for kind, wrong in WRONG.items() for number in wrong.values()]
IDS = [f"{kind}: {why}" for kind, wrong in WRONG.items() for why in wrong]


@pytest.mark.parametrize(("kind", "number"), CASES, ids=IDS)
def test_a_number_that_can_be_on_no_list_is_refused_with_the_reason(
    institution: httpx.Client, kind: str, number: str
) -> None:
    response = institution.post("/v1/checks", json=question(number, G_TRAIN, kind=kind))
    told = problem(response, 422, "invalid-document")
    assert pointers(told) == ["/subject/document/number"]
    assert number not in response.text


@pytest.mark.parametrize(("kind", "number"), CASES, ids=IDS)
def test_it_is_refused_in_its_place_of_a_batch(
    institution: httpx.Client, kind: str, number: str
) -> None:
    checks = {"checks": [question(number, G_TRAIN, kind=kind)]}
    response = institution.post("/v1/checks/batch", json=checks)
    [result] = response.json()["results"]
    assert result["error"]["code"] == "invalid-document"
    assert result["error"]["errors"][0]["pointer"] == "/subject/document/number"
    assert number not in response.text


def test_a_number_is_not_held_against_the_list_of_counties(institution: httpx.Client) -> None:
    for place in ("460500", "999999"):
        number = resident_id(place, "18900101", 123)
        response = institution.post("/v1/checks", json=question(number, G_TRAIN))
        assert response.status_code == 200


def test_a_birth_date_of_the_first_day_of_1800_is_fine(institution: httpx.Client) -> None:
    number = resident_id("440882", "18000101", 1)
    assert institution.post("/v1/checks", json=question(number, G_TRAIN)).status_code == 200
