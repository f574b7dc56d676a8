"""Both keys are replaced under load: nobody is refused, and everything reads afterwards."""

import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from checker.deployment_secrets import read_secrets
from tests.support.asking import FLIGHT, ask
from tests.support.changing import Court, Stranger
from tests.support.notice_receiver import Receiver, receiving
from tests.support.running_service import RunningService, run_command, wait_until
from tests.support.spending import hold, look, order
from tests.support.town import INNOCENT

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

GROUND = "此案已结清"
_references = itertools.count(1)


class Stories:
    """Strangers meanwhile, each from the listing to the notice of its end."""

    def __init__(self, service: RunningService, receiver: Receiver) -> None:
        self._service = service
        self._receiver = receiver
        self._court = service.keys["court"]
        self._hotel = service.keys["rotation hotel"]
        self.told = 0
        self.checks = 0
        self.decisions: list[str] = []
        self.corrections: list[str] = []
        self.authorizations: list[str] = []

    def tell(self) -> None:
        """List a stranger, refuse, permit, hold money, correct; on connections of its own."""
        with self._service.client(self._court) as court, self._service.client(self._hotel) as hotel:
            somebody, says = Stranger(), Court(court)
            says.do(somebody.listed())
            refused = ask(hotel, somebody.number, FLIGHT, name=somebody.name)
            assert refused["decision"] == "deny"
            self.decisions.append(refused["id"])
            kept = hotel.post(
                f"/v1/checks/{refused['id']}/outcomes",
                json={"outcome": "refused", "note": "示例"},
            )
            assert kept.is_success, kept.text
            says.do(somebody.permit("R"))
            allowed = ask(hotel, somebody.number, FLIGHT, name=somebody.name)
            assert (allowed["decision"], allowed["permit"]["ground"]) == ("allow", "就医")
            self._spend(hotel, somebody)
            self._correct(hotel, court, somebody)
            self._receive(somebody)
        self.told += 1

    def check_innocents(self) -> None:
        with self._service.client(self._hotel) as hotel:
            for _ in range(20):
                assert ask(hotel, INNOCENT, FLIGHT)["decision"] == "allow"
                self.checks += 1

    def _spend(self, hotel: httpx.Client, somebody: Stranger) -> None:
        reference, key = f"STAY-{next(_references)}", f"rotation-{next(_references)}"
        held = hold(hotel, somebody.number, 1_000, key=key, reference=reference)
        assert held.status_code == 201, held.text
        again = hold(hotel, somebody.number, 1_000, key=key, reference=reference)
        assert again.json()["id"] == held.json()["id"]
        captured = order(hotel, f"{held.json()['id']}/capture", amount_fen=1_000)
        assert captured.is_success, captured.text
        assert look(hotel, held.json()["id"])["reference"] == reference
        self.authorizations.append(held.json()["id"])

    def _correct(self, hotel: httpx.Client, court: httpx.Client, somebody: Stranger) -> None:
        words = {"listing_id": somebody.listing_id, "ground": GROUND, "contact": "a@example.com"}
        filed = hotel.post("/v1/corrections", json=words)
        assert filed.status_code == 201, filed.text
        place = f"/v1/corrections/{filed.json()['id']}"
        ruled = court.post(f"{place}/ruling", json={"ruling": "upheld", "note": "查明属实"})
        assert ruled.status_code == 200, ruled.text
        assert court.get(place).json()["ground"] == GROUND
        self.corrections.append(place)

    def _receive(self, somebody: Stranger) -> None:
        wait_until(
            lambda: any(
                message.data["listing_id"] == somebody.listing_id
                for message in list(self._receiver.acknowledged)
            )
        )


def repeated(doing: Callable[[], None], ended: threading.Event) -> None:
    while not ended.is_set():
        doing()


def rotated(service: RunningService, *more: str) -> dict[str, Any]:
    done = run_command(service.data_dir, "keys", "rotate-secrets", "--json", *more)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def rotated_wholly(service: RunningService) -> dict[str, Any]:
    """Rotate until nothing is left: a value may come late, and somebody may hold its row."""
    result = rotated(service)
    while result["left"]:
        result |= {"left": rotated(service)["left"]}
    return result


def test_a_whole_rotation_under_load_fails_no_request(
    service: RunningService, court: httpx.Client
) -> None:
    service.make_keys({"rotation hotel": ("--role", "institution")})
    before = read_secrets(service.data_dir, {})
    first, first_token = max(before.encryption_keys), max(before.token_keys, default=1)
    ended = threading.Event()
    with (
        receiving(lambda _message: 200) as receiver,
        service.client(service.keys["rotation hotel"]) as hotel,
        ThreadPoolExecutor(2) as pool,
    ):
        assert hotel.put("/v1/webhook", json={"url": receiver.url}).is_success
        stories = Stories(service, receiver)
        stories.tell()
        callers = [
            pool.submit(repeated, doing, ended) for doing in (stories.tell, stories.check_innocents)
        ]
        try:
            result = rotated_wholly(service)
            told = rotated(service, "--finish")
            last = stories.told
            wait_until(lambda: stories.told > last or any(each.done() for each in callers))
        finally:
            ended.set()
        for caller in callers:
            caller.result()
        assert told == {"key": first + 1, "token_key": first_token + 1}
        assert told.items() <= result.items()
        assert result["sealed_again"] > 0
        assert result["copied"] > 0
        secrets = read_secrets(service.data_dir, {})
        assert [*secrets.encryption_keys, *secrets.token_keys] == [first + 1, first_token + 1]
        assert secrets.token_key == before.token_key
        for decision_id in stories.decisions:
            assert hotel.get(f"/v1/decisions/{decision_id}").status_code == 200
        for place in stories.corrections:
            assert court.get(place).json()["ground"] == GROUND
        for authorization_id in stories.authorizations:
            assert look(hotel, authorization_id)["reference"].startswith("STAY-")
        assert hotel.delete("/v1/webhook").is_success
    assert stories.checks > 0
    verified = run_command(service.data_dir, "audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
