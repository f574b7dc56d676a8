"""A key in a URL is refused whatever else is right, and stands in no answer and no log."""

import httpx
import pytest

from tests.support.asking import G_TRAIN, problem, question
from tests.support.running_service import RunningService
from tests.support.town import INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

RIGHT = question(INNOCENT, G_TRAIN)


@pytest.mark.parametrize("parameter", ["key", "access_token", "api_key"])
def test_a_key_in_a_url_is_refused_and_nowhere_repeated(
    service: RunningService,
    institution: httpx.Client,
    anyone: httpx.Client,
    parameter: str,
) -> None:
    key = service.keys["institution"]
    parameters = {parameter: key}
    for path in ("/v1/checks", "/v1/checks/batch", "/v1/accounts", "/v1/measures"):
        without = anyone.post(path, json=RIGHT, params=parameters)
        beside = institution.post(path, json=RIGHT, params=parameters)
        problem(without, 401, "unauthenticated")
        problem(beside, 400, "invalid-request")
        assert key not in without.text + beside.text
        assert "URL" in without.json()["detail"]
    assert key not in service.log()
