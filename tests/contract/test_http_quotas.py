"""Quotas count items; nothing here depends on when a minute begins."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.asking import G_TRAIN, ask, problem, question
from tests.support.changing import CONNECTIONS
from tests.support.running_service import RunningService, wait_until
from tests.support.town import INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

QUOTA = 5
POLICY = re.compile(r'"(?P<name>\w+)";q=(?P<quota>\d+);w=60')
LIMIT = re.compile(r'"(?P<name>\w+)";r=(?P<left>\d+);t=(?P<resets_in_s>\d+)')


@pytest.fixture(scope="module")
def limited(service: RunningService) -> Iterator[httpx.Client]:
    """A key that may ask about five items a minute."""
    service.make_keys({"limited": ("--role", "institution", "--quota", str(QUOTA))})
    with service.client(service.keys["limited"]) as client:
        yield client


def batch(items: int) -> dict[str, object]:
    return {"checks": [question(INNOCENT, G_TRAIN)] * items}


def test_a_batch_larger_than_the_quota_is_refused_whole_and_costs_nothing(
    limited: httpx.Client,
) -> None:
    for _ in range(3):
        response = limited.post("/v1/checks/batch", json=batch(QUOTA + 1))
        problem(response, 429, "quota-exceeded")
        assert 1 <= int(response.headers["retry-after"]) <= 60
    assert ask(limited, INNOCENT, G_TRAIN)["decision"] == "allow"


def test_each_item_of_a_batch_counts(limited: httpx.Client) -> None:
    # Of three batches of four two at least fall into one minute, which has room for one.
    statuses = [
        limited.post("/v1/checks/batch", json=batch(QUOTA - 1)).status_code for _ in range(3)
    ]
    assert 429 in statuses
    assert set(statuses) <= {200, 429}


def test_every_answer_to_a_key_tells_the_quota_and_what_is_left(
    limited: httpx.Client, institution: httpx.Client
) -> None:
    for client, quota in ((limited, QUOTA), (institution, 999_999_999_999_999)):
        for response in (
            client.post("/v1/checks", json=question(INNOCENT, G_TRAIN)),
            client.post("/v1/checks", json={}),
            client.post("/v1/checks/batch", json=batch(10_001)),
            client.get("/v1/measures"),
            client.get("/v1/list"),
        ):
            policy = POLICY.fullmatch(response.headers["ratelimit-policy"])
            limit = LIMIT.fullmatch(response.headers["ratelimit"])
            assert policy is not None
            assert limit is not None
            assert (policy["name"], int(policy["quota"])) == (limit["name"], quota)
            assert 0 <= int(limit["left"]) <= quota
            assert 1 <= int(limit["resets_in_s"]) <= 60


def test_both_windows_of_an_account_are_told_and_its_keys_share_them(
    service: RunningService, operator: httpx.Client
) -> None:
    body = {"name": "sharing", "role": "institution", "items_per_minute": 30, "items_per_day": 40}
    address = operator.post("/v1/accounts", json=body).headers["location"]
    keys = [operator.post(f"{address}/keys").json()["key"] for _ in range(2)]
    with service.client(keys[0]) as first, service.client(keys[1]) as second:
        # Whatever minute it is, what both have asked counts against the day.
        asked = first.post("/v1/checks/batch", json=batch(15))
        assert asked.headers["ratelimit-policy"] == '"minute";q=30;w=60, "day";q=40;w=86400'
        minute, day = asked.headers["ratelimit"].split(", ")
        assert minute.startswith('"minute";r=15;')
        assert day.startswith('"day";r=25;')
        assert second.post("/v1/checks/batch", json=batch(15)).status_code == 200
        refused = second.post("/v1/checks/batch", json=batch(11))
        problem(refused, 429, "quota-exceeded")
        assert '"day";r=10;' in refused.headers["ratelimit"]
        assert 1 <= int(refused.headers["retry-after"]) <= 86_400
        assert first.post("/v1/checks/batch", json=batch(31)).status_code == 429


def test_a_changed_quota_holds_on_every_worker_at_once(
    service: RunningService, operator: httpx.Client
) -> None:
    body = {"name": "lowered", "role": "institution", "items_per_day": 1_000_000}
    address = operator.post("/v1/accounts", json=body).headers["location"]
    key = operator.post(f"{address}/keys").json()["key"]

    def policies() -> set[str]:
        told = set()
        for _ in range(CONNECTIONS):
            with service.client(key) as client:
                told.add(client.get("/v1/measures").headers["ratelimit-policy"])
        return told

    assert policies() == {'"day";q=1000000;w=86400'}
    operator.patch(address, json={"items_per_day": 0, "items_per_minute": 7}).raise_for_status()
    wait_until(lambda: policies() == {'"minute";q=7;w=60'})


def test_who_has_no_key_is_told_of_no_quota(anyone: httpx.Client) -> None:
    response = anyone.post("/v1/checks", json=question(INNOCENT, G_TRAIN))
    problem(response, 401, "unauthenticated")
    assert "ratelimit" not in response.headers
