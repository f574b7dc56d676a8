"""PostgreSQL fails over to an older state while the service runs: nobody's change is lost unseen.

Nobody is answered by the older list before an operator accepts it.

The standby is a copy of the data folder, taken while all processes of PostgreSQL stand still: what
an asynchronous standby has that lacks all later changes. The copy takes the place of the data, and
the processes are killed.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import httpx
import psutil
import pytest

from checker.embedded.postgres import embedded_postgres
from tests.faults.faulty_service import (
    WORKERS,
    answered,
    apply,
    frozen,
    in_force,
    is_ready,
    postgres_of,
    redis_of,
    shield,
)
from tests.support.asking import FLIGHT, question
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    OUTAGE_SETTINGS,
    RunningService,
    run_command,
    running_service,
    wait_until,
)
from tests.support.spending import hold
from tests.support.town import DEBTOR, INNOCENT, document, listing, person, resident_id

pytestmark = pytest.mark.xdist_group("failover")

AMOUNT_FEN = 150_000
DAMAGED = "a change whose number was used before is in force"


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    workers = ("--workers", str(WORKERS))
    with (
        private_folder() as folder,
        running_service(folder, "serve", *workers, settings=OUTAGE_SETTINGS) as running,
    ):
        in_force(running)
        yield running


@pytest.fixture(params=[False, True], ids=["Redis there", "Redis away"])
def strangers(request: pytest.FixtureRequest) -> tuple[bool, str, str]:
    """Whether Redis is away during the failover, whom the lost change lists, and whom the next."""
    lost, following = (resident_id("440882", "18760504", 2 * request.param + n) for n in (7, 8))
    return request.param, lost, following


def list_op(number: str) -> dict[str, Any]:
    return {
        "op": "list",
        "listing": listing(f"of {number[-4:]}", person("甲外乡", document(number))),
    }


def state_of_list(service: RunningService) -> dict[str, Any]:
    with service.client(service.keys["operator"]) as operator:
        told: dict[str, Any] = operator.get("/v1/list").json()
    return told


def send(service: RunningService, *lines: dict[str, Any]) -> None:
    with service.client(service.keys["court"]) as court:
        apply(court, *lines)


def send_until_taken(service: RunningService, line: dict[str, Any]) -> None:
    """Send a change again and again, as a court's connector does while PostgreSQL is away."""

    def is_taken() -> bool:
        with service.client(service.keys["court"]) as court:
            response = court.post("/v1/feed/changes", json=line)
        assert response.status_code in {200, 503}, response.text
        return response.status_code == 200

    wait_until(is_taken)


@contextmanager
def standby_of(service: RunningService) -> Iterator[ExitStack]:
    """Copy PostgreSQL's data as they are now; what is entered later ends with the server."""
    data = service.data_dir / "postgres" / "data"
    with frozen(*postgres_of(service)):
        subprocess.run(["cp", "-a", data, data.with_name("standby")], check=True)
    with ExitStack() as stack:
        yield stack


def fail_over(service: RunningService, servers: ExitStack) -> None:
    """Let the copy take over: nothing that was committed since is there any more."""
    folder = service.data_dir / "postgres"
    gone = postgres_of(service)
    for process in gone:
        process.suspend()
    (folder / "data").rename(folder / "lost")
    (folder / "standby").rename(folder / "data")
    (folder / "data" / "postmaster.pid").unlink()
    for process in gone:
        process.kill()
    psutil.wait_procs(gone)
    shutil.rmtree(folder / "lost")
    servers.enter_context(embedded_postgres(folder))


def test_a_change_that_reuses_the_number_of_a_lost_one_is_in_force_everywhere(
    service: RunningService, strangers: tuple[bool, str, str]
) -> None:
    redis_is_away, lost, following = strangers
    with standby_of(service) as servers:
        send(service, list_op(lost))
        assert set(answered(service, lost)) == {"deny"}
        before = state_of_list(service)

        with frozen(redis_of(service)) if redis_is_away else nullcontext():
            fail_over(service, servers)
            send_until_taken(service, list_op(following))
            for _ in range(5):
                assert set(answered(service, following)) <= {"deny"}, DAMAGED

        wait_until(lambda: before["version"] in lost_versions(service))
        for number in (lost, following, INNOCENT):
            assert answered(service, number) == [], "nobody is cleared by a list that went back"
        assert went_back(service)
        accept_older(service)
        wait_until(lambda: is_ready(service))
        for _ in range(5):
            assert set(answered(service, following)) == {"deny"}, DAMAGED
            assert set(answered(service, INNOCENT)) == {"allow"}
        after = state_of_list(service)
        assert after["version"] == before["version"]
        assert after["history"] != before["history"]
        assert set(answered(service, lost)) == {"allow"}, "the court has to send it again"
        assert "has lost changes" in service.log()
        shown = f"checker_list_lost_changes {float(len(lost_versions(service)))}"
        wait_until(lambda: shown in httpx.get(f"{service.url}/metrics").text)
        send(service, list_op(lost))
        assert set(answered(service, lost)) == {"deny"}


def went_back(service: RunningService) -> bool:
    response = httpx.get(f"{service.url}/readyz", timeout=30)
    return response.status_code == 503 and "the list went back" in response.text


def accept_older(service: RunningService) -> None:
    done = run_command(service.data_dir, "accept-older")
    assert done.returncode == 0, done.stderr
    again = run_command(service.data_dir, "accept-older")
    assert again.returncode == 2
    assert "nothing to accept" in again.stderr


def lost_versions(service: RunningService) -> list[int]:
    return [each["version"] for each in state_of_list(service)["lost_changes"]]


def test_what_hangs_together_in_the_record_goes_on_after_a_failover(
    service: RunningService,
) -> None:
    """Decisions and their chain, spending, idempotency keys, and notices of what ended."""
    with (
        standby_of(service) as servers,
        service.client(service.keys["institution"]) as hotel,
    ):
        lost = hotel.post("/v1/checks", json=question(DEBTOR, FLIGHT)).json()
        held = held_once(hotel)
        send(service, shield())
        wait_until(lambda: lost["id"] in hotel.get("/v1/notices").text)
        cursor = hotel.get("/v1/notices").json()["next"]
        fail_over(service, servers)
        wait_until(lambda: went_back(service))
        response = hold(hotel, DEBTOR, AMOUNT_FEN, key="held by nobody")
        assert response.status_code == 503, "a hold rests on the list"
        accept_older(service)
        wait_until(lambda: set(answered(service, DEBTOR)) == {"deny"})

        assert hotel.get(f"/v1/decisions/{lost['id']}").status_code == 404
        again = held_once(hotel)
        assert again["id"] != held["id"]
        assert again["spending"]["held_fen"] == AMOUNT_FEN, "of the lost hold nothing is counted"
        assert held_once(hotel) == again
        kept = hotel.post("/v1/checks", json=question(DEBTOR, FLIGHT)).json()
        send_until_taken(service, shield())
        assert set(answered(service, DEBTOR)) == {"allow"}
        unread = {"after": cursor}
        wait_until(lambda: kept["id"] in hotel.get("/v1/notices", params=unread).text)
        proof = run_command(service.data_dir, "audit", "verify")
        assert proof.returncode == 0, proof.stdout + proof.stderr


def held_once(hotel: httpx.Client) -> dict[str, Any]:
    response = hold(hotel, DEBTOR, AMOUNT_FEN, key="held once")
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    return told
