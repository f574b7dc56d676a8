"""A server of its own that begins with nothing: before any list, and without any settings."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.asking import FLIGHT, G_TRAIN, ask, codes, problem, question
from tests.support.private_folder import private_folder
from tests.support.running_service import RunningService, running_service
from tests.support.town import DEBTOR, INNOCENT, LEGAL_REPRESENTATIVE, MARKS, TOWN, ndjson

pytestmark = pytest.mark.xdist_group("contract-bare")

RESORT = {"type": "resort", "venue": "rated_resort", "amount_fen": 1}
SCHOOL = {"type": "private_school", "annual_fee_fen": 1}
INSURANCE = {"type": "insurance", "cash_value": True, "annual_premium_fen": 1}


@pytest.fixture(scope="module")
def bare() -> Iterator[RunningService]:
    """A server without list or settings."""
    with private_folder() as folder, running_service(folder) as running:
        running.make_keys({role: ("--role", role) for role in ("institution", "court", "operator")})
        yield running
        log = running.log()
        assert not [mark for mark in MARKS if mark in log]


@pytest.fixture(scope="module")
def asking(bare: RunningService) -> Iterator[httpx.Client]:
    with bare.client(bare.keys["institution"]) as client:
        yield client


@pytest.fixture(scope="module")
def unset(bare: RunningService, asking: httpx.Client) -> httpx.Client:
    """The same client, once there is a list."""
    with bare.client(bare.keys["court"]) as court:
        assert court.put("/v1/feed/snapshot", content=ndjson(TOWN)).json()["version"] == 1
    return asking


class TestBeforeAnyList:
    def test_nobody_is_cleared(self, asking: httpx.Client) -> None:
        subjects = [question(INNOCENT, G_TRAIN)["subject"]]
        for path, body in (
            ("/v1/checks", question(INNOCENT, G_TRAIN)),
            ("/v1/checks/batch", {"service": G_TRAIN, "subjects": subjects}),
        ):
            response = asking.post(path, json=body)
            problem(response, 503, "unavailable")
            assert int(response.headers["retry-after"]) >= 1

    def test_the_service_lives_and_is_not_ready(self, bare: RunningService) -> None:
        with bare.client() as anyone:
            assert anyone.get("/healthz").status_code == 200
            response = anyone.get("/readyz")
            problem(response, 503, "unavailable")
            assert "retry-after" in response.headers

    def test_the_state_of_the_list_is_version_0(self, bare: RunningService) -> None:
        with bare.client(bare.keys["operator"]) as client:
            told = client.get("/v1/list").json()
        assert (told["version"], told["as_of"], told["listings"]) == (0, None, 0)

    def test_an_empty_list_is_refused_until_it_is_meant(self, bare: RunningService) -> None:
        with bare.client(bare.keys["court"]) as court:
            problem(court.put("/v1/feed/snapshot", content=b""), 400, "invalid-request")
        with bare.client() as anyone:
            assert anyone.get("/readyz").status_code == 503


class TestWithoutSettings:
    def test_the_first_list_makes_the_service_ready(
        self, bare: RunningService, unset: httpx.Client
    ) -> None:
        assert ask(unset, INNOCENT, G_TRAIN)["decision"] == "allow"
        assert ask(unset, DEBTOR, G_TRAIN)["decision"] == "deny"
        with bare.client() as anyone:
            assert anyone.get("/readyz").json()["version"] == 1

    def test_a_cap_that_is_unset_gives_review(self, unset: httpx.Client) -> None:
        answer = ask(unset, DEBTOR, RESORT)
        assert (answer["decision"], answer["spending"]) == ("review", None)
        assert codes(answer) == [("cap_unset", "cn-2016-64/2.7.3")]
        assert ask(unset, LEGAL_REPRESENTATIVE, RESORT)["decision"] == "allow"

    def test_a_threshold_that_is_unset_gives_review(self, unset: httpx.Client) -> None:
        for service, section in ((SCHOOL, "2.7.4"), (INSURANCE, "2.7.5")):
            answer = ask(unset, DEBTOR, service)
            assert answer["decision"] == "review"
            assert codes(answer) == [("threshold_unset", f"cn-2016-64/{section}")]
        assert ask(unset, DEBTOR, {**INSURANCE, "cash_value": False})["decision"] == "allow"

    def test_what_needs_no_figure_is_decided_as_ever(self, unset: httpx.Client) -> None:
        assert ask(unset, DEBTOR, FLIGHT)["decision"] == "deny"
        assert ask(unset, INNOCENT, RESORT)["decision"] == "allow"
