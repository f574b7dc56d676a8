"""What becomes of the list while a store is away and when it comes back: never a wrong answer.

What callers see meanwhile is the table of outages (`test_outages`).
"""

import psutil
import pytest
from redis import Redis

from tests.faults.faulty_service import (
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
    redis_of,
    shield,
)
from tests.support.asking import problem
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    PATIENCE_S,
    RunningService,
    running_service,
    wait_until,
)
from tests.support.town import DEBTOR, TOWN, ndjson

pytestmark = pytest.mark.xdist_group("faults")

FREED = [("allow", "allow")] * ASKED


def is_whole(service: RunningService) -> bool:
    """Whether no worker waits any more before it asks the registry again."""
    told = answered(service, DEBTOR)
    assert set(told) <= {"deny"}
    return len(told) == ASKED and is_ready(service)


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
