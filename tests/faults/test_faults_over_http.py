"""What becomes of a server whose stores are away, and what its callers see: never a wrong answer.

The rows of the table of outages: who is answered, and whether the court's feed holds.
"""

import httpx
import psutil
import pytest
from asking import FLIGHT, problem, question
from faulty_service import (
    ASKED,
    RIGHT,
    answered,
    change,
    frozen,
    in_force,
    is_ready,
    outcomes,
    postgres_of,
    put,
    readiness,
    redis_of,
    shield,
)
from private_folder import private_folder
from redis import Redis
from running_service import (
    PATIENCE_S,
    RunningService,
    running_service,
    wait_until,
)
from town import DEBTOR, INNOCENT, TOWN, ndjson

pytestmark = pytest.mark.xdist_group("faults")

FREED = [("allow", "allow")] * ASKED


def is_silent(service: RunningService) -> bool:
    """Whether no worker clears an innocent any more; a debtor is never cleared meanwhile."""
    assert set(answered(service, DEBTOR)) <= {"deny"}
    told = answered(service, INNOCENT)
    assert set(told) <= {"allow"}
    return not told


def is_whole(service: RunningService) -> bool:
    """Whether no worker waits any more before it asks the registry again."""
    told = answered(service, DEBTOR)
    assert set(told) <= {"deny"}
    return len(told) == ASKED and is_ready(service)


def test_behind_a_frozen_redis_the_registry_answers(service: RunningService) -> None:
    with frozen(redis_of(service)):
        assert outcomes(service) == RIGHT
        assert readiness(service) == "degraded"
    wait_until(lambda: is_ready(service))
    assert outcomes(service) == RIGHT


def test_changes_are_in_force_while_redis_is_frozen(service: RunningService) -> None:
    with frozen(redis_of(service)):
        change(service, shield())
        assert outcomes(service) == FREED
        change(service, shield("unshield"))
        assert outcomes(service) == RIGHT
    # Nor does what Redis held before come back with it.
    assert outcomes(service) == RIGHT
    wait_until(lambda: is_ready(service))
    assert outcomes(service) == RIGHT


def test_a_redis_that_was_frozen_answers_nothing_of_before(service: RunningService) -> None:
    with frozen(redis_of(service)):
        change(service, shield())
    assert outcomes(service) == FREED
    with frozen(redis_of(service)):
        change(service, shield("unshield"))
    assert outcomes(service) == RIGHT
    wait_until(lambda: is_ready(service))
    assert outcomes(service) == RIGHT


def test_a_redis_that_lost_everything_is_filled_again(service: RunningService) -> None:
    socket = service.data_dir / "redis" / "redis.sock"
    with Redis(unix_socket_path=str(socket)) as client:
        client.flushall()
    assert outcomes(service) == RIGHT
    wait_until(lambda: is_ready(service))
    change(service, shield())
    assert outcomes(service) == FREED
    change(service, shield("unshield"))
    assert outcomes(service) == RIGHT


def test_without_the_registry_nobody_is_allowed_for_longer_than_a_lease(
    service: RunningService,
) -> None:
    with frozen(*postgres_of(service)):
        # Redis is there, but nobody vouches for what it holds.
        wait_until(lambda: is_silent(service))
        assert is_silent(service)
        assert readiness(service) is None
    wait_until(lambda: is_whole(service))
    assert outcomes(service) == RIGHT


def test_with_both_stores_away_nobody_is_allowed_for_longer_than_a_lease(
    service: RunningService,
) -> None:
    with frozen(redis_of(service), *postgres_of(service)):
        wait_until(lambda: is_silent(service))
        assert is_silent(service)
    wait_until(lambda: is_whole(service))
    assert outcomes(service) == RIGHT


def test_a_feed_that_finds_no_registry_is_told_so_and_may_be_sent_again(
    service: RunningService,
) -> None:
    with (
        frozen(*postgres_of(service)),
        service.client(service.keys["court"]) as court,
    ):
        for sent in (
            court.post("/v1/feed/changes", content=ndjson([shield("unshield")])),
            court.put("/v1/feed/snapshot", content=ndjson(TOWN)),
            court.post("/v1/feed/quarantine/retry", json={}),
        ):
            refused = problem(sent, 503, "unavailable")
            assert int(sent.headers["retry-after"]) > 0, refused
    wait_until(lambda: is_whole(service))
    assert put(service, ndjson(TOWN)).status_code == 200
    change(service, shield())
    assert outcomes(service) == FREED
    change(service, shield("unshield"))
    assert outcomes(service) == RIGHT


def test_without_redis_the_registry_answers_and_a_new_list_is_in_force() -> None:
    with private_folder() as folder, running_service(folder) as service:
        in_force(service)
        redis = redis_of(service)
        redis.kill()
        psutil.wait_procs([redis], timeout=PATIENCE_S)
        assert outcomes(service) == RIGHT
        assert put(service, ndjson(TOWN[1:])).status_code == 200
        assert outcomes(service) == FREED
        change(service, {"op": "list", "listing": TOWN[0]})
        assert outcomes(service) == RIGHT


def test_without_a_registry_that_was_killed_nobody_is_allowed_for_longer_than_a_lease() -> None:
    with private_folder() as folder, running_service(folder) as service:
        in_force(service)
        for process in postgres_of(service):
            process.kill()
        wait_until(lambda: is_silent(service))
        assert is_silent(service)
        with service.client(service.keys["court"]) as court:
            refused = court.post("/v1/feed/changes", content=ndjson([shield()]))
        problem(refused, 503, "unavailable")
        with service.client(service.keys["institution"]) as client:
            body = {"checks": [question(number, FLIGHT) for number in (INNOCENT, DEBTOR)]}
            problem(client.post("/v1/checks/batch", json=body), 503, "unavailable")
        assert httpx.get(f"{service.url}/healthz").json() == {"status": "ok"}
