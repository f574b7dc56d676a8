"""A fisher among hotels: found, slowed, shown, counted, and let go by an operator.

Most of the answers that the fisher gets are `allow`, but each of them needs a look-up.
"""

from contextlib import ExitStack

import httpx
import pytest

from tests.support.asking import problem
from tests.support.changing import Court
from tests.support.running_service import RunningService, wait_until
from tests.support.town import INNOCENT, Line, document, listing, person, resident_id

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

HOTELS = 5
ITEMS = 200
LOOKS = 200
STAY = {"type": "lodging", "star_rating": 4}
LISTED = [resident_id("440882", "18770504", sequence) for sequence in range(ITEMS)]
GUESTS = [INNOCENT] * ITEMS
ADVERSE = ITEMS // 20
"""So many are listed today, and all others from a later day on: they are looked up and allowed."""
LATER = "2100-01-01"


def listings() -> list[Line]:
    lines: list[Line] = []
    for place, number in enumerate(LISTED):
        line = listing(f"fished-{place}", person("鱼甲", document(number)))
        if place >= ADVERSE:
            line["published_on"] = LATER
        lines.append({"op": "list", "listing": line})
    return lines


def ask_about(client: httpx.Client, numbers: list[str]) -> httpx.Response:
    subjects = [{"document": document(number)} for number in numbers]
    return client.post("/v1/checks/batch", json={"service": STAY, "subjects": subjects})


def account_with_key(operator: httpx.Client, name: str) -> tuple[str, str]:
    # No others sell this, so nobody else is of their kind.
    body = {"name": name, "role": "institution", "services": ["lodging", "vehicle"]}
    address = operator.post("/v1/accounts", json=body).headers["location"]
    return address, operator.post(f"{address}/keys").json()["key"]


def flagged(operator: httpx.Client) -> list[str]:
    found = operator.get("/v1/accounts", params={"flagged": "true", "limit": 1000}).json()
    return [account["name"] for account in found["accounts"]]


def test_a_fisher_is_slowed_until_an_operator_lets_it_go(
    service: RunningService, operator: httpx.Client, anyone: httpx.Client, court: httpx.Client
) -> None:
    Court(court).do(*listings())
    with ExitStack() as stack:
        hotels = []
        for number in range(HOTELS):
            _, key = account_with_key(operator, f"hotel {number}")
            hotels.append(stack.enter_context(service.client(key)))
        address, key = account_with_key(operator, "fisher")
        fisher = stack.enter_context(service.client(key))

        def is_found() -> bool:
            """Let an hour's business go by, whichever hour it is, and then a little more of it:
            the workers count one after the other, and who asks no more is not judged.
            """
            for hotel in hotels:
                assert ask_about(hotel, GUESTS).status_code == 200
            answers = ask_about(fisher, LISTED).json()["results"]
            assert [each["decision"] for each in answers].count("allow") == ITEMS - ADVERSE
            for _ in range(LOOKS):
                ask_about(fisher, LISTED[:1])
                if flagged(operator) == ["fisher"]:
                    return True
            return False

        wait_until(is_found)
        flag = operator.get(address).json()["flag"]
        assert (flag["ground"], flag["kind_share"]) == ("adverse_share", 0)
        assert flag["share"] > 0.1
        wait_until(lambda: ask_about(fisher, GUESTS).status_code == 429)
        refused = ask_about(fisher, GUESTS)
        problem(refused, 429, "quota-exceeded")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit-policy"] == '"slowed";q=10;w=60'
        told = f"account {address.rpartition('/')[2]} seems to fish: adverse_share"
        assert service.log().count(told) == 1
        counted = 'checker_accounts_flagged_total{ground="adverse_share"}'
        wait_until(lambda: f"{counted} 1.0" in anyone.get("/metrics").text)
        cleared = operator.post(f"{address}/clear_flag")
        assert (cleared.status_code, cleared.json()["flag"]) == (200, None)
        wait_until(lambda: ask_about(fisher, GUESTS).status_code == 200)
    assert operator.post(f"{address}/clear_flag").status_code == 200
    assert flagged(operator) == []


def test_a_flag_of_no_account_is_not_found(operator: httpx.Client) -> None:
    problem(operator.post("/v1/accounts/x/clear_flag"), 404, "not-found")
    problem(operator.get("/v1/accounts", params={"flagged": "yes"}), 400, "invalid-request")
