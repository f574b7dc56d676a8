"""A server notices and mends a list that a hand changed in its Redis."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest
from redis import Redis

from tests.faults.faulty_service import (
    ASKED,
    RIGHT,
    WORKERS,
    is_ready,
    outcomes,
    workers_of,
)
from tests.support.asking import FLIGHT, ask
from tests.support.running_service import RunningService, wait_until
from tests.support.town import DEBTOR

pytestmark = pytest.mark.xdist_group("faults")


@contextmanager
def redis_in(service: RunningService) -> Iterator[Redis]:
    socket = service.data_dir / "redis" / "redis.sock"
    with Redis(unix_socket_path=str(socket)) as client:
        yield client


def live(service: RunningService) -> bytes | None:
    with redis_in(service) as client:
        return client.get("checker:live")


def debtors_outcomes(service: RunningService) -> set[str]:
    """The debtor, on connections of their own, so that every worker is asked.

    A worker that was killed takes the connections with it that wait for it.
    """
    seen = set()
    for _ in range(ASKED):
        with (
            suppress(httpx.TransportError),
            service.client(service.keys["institution"]) as client,
        ):
            seen.add(ask(client, DEBTOR, FLIGHT)["decision"])
    return seen


def test_a_worker_that_starts_takes_no_filter_that_was_zeroed(service: RunningService) -> None:
    before = live(service)
    with redis_in(service) as client:
        for segment in client.scan_iter("checker:g:*:f:*"):
            client.set(segment, bytes(client.strlen(segment)))
    killed = min(workers_of(service))
    psutil.Process(killed).kill()

    def is_replaced() -> bool:
        # Neither the worker that has whole bits nor the one that finds none clears the debtor.
        assert debtors_outcomes(service) <= {"deny"}
        return len(workers_of(service) - {killed}) == WORKERS

    wait_until(is_replaced)
    wait_until(lambda: live(service) not in {None, before})
    assert outcomes(service) == RIGHT


def test_tokens_that_were_deleted_are_noticed_and_the_list_is_built_anew(
    service: RunningService,
) -> None:
    before = live(service)
    with redis_in(service) as client:
        for bucket in client.scan_iter("checker:g:*:b:*"):
            if tokens := [field for field in client.hkeys(bucket) if field != b"!"]:
                client.hdel(bucket, *tokens)
    wait_until(lambda: live(service) != before)
    # From when it is noticed, the list in Redis answers nobody; soon another one does.
    assert debtors_outcomes(service) == {"deny"}
    wait_until(lambda: live(service) is not None)
    wait_until(lambda: is_ready(service))
    assert outcomes(service) == RIGHT
    counts = httpx.get(f"{service.url}/metrics").text
    told = [line for line in counts.splitlines() if line.startswith("checker_cache_mismatches")]
    assert sum(float(line.split()[-1]) for line in told) >= 1
