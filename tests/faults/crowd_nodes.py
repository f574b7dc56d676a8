"""Two servers of one deployment, each a node and a publisher in processes of its own."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from cache.keys import Keys
from checker.embedded import embedded_redis
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    CHECKER,
    PATIENCE_S,
    RunningService,
    free_port,
    plain_environment,
    running_service,
    wait_until_healthy,
)

ROLES = ("institution", "court", "operator")


@contextmanager
def two_nodes() -> Iterator[tuple[RunningService, RunningService]]:
    """Start both on one data directory, so on one Redis and one PostgreSQL, with their keys."""
    with (
        private_folder() as folder,
        running_service(folder) as first,
        _beside(first) as second,
    ):
        first.make_keys({role: ("--role", role, "--quota", "0") for role in ROLES})
        second.keys = first.keys
        yield first, second


@contextmanager
def _beside(first: RunningService) -> Iterator[RunningService]:
    port = free_port()
    log_file = first.log_file.with_name("second.log")
    second = RunningService(f"http://127.0.0.1:{port}", first.data_dir, log_file)
    arguments = [CHECKER, "serve", "--port", str(port), "--data-dir", str(first.data_dir)]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            arguments, stdout=log, stderr=subprocess.STDOUT, env=plain_environment()
        )
    try:
        wait_until_healthy(second, process)
        yield second
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def generations(node: RunningService) -> set[str]:
    """The ids of all generations of which Redis holds a key."""
    keys = Keys()
    with (
        embedded_redis(node.data_dir / "redis") as url,
        redis.Redis.from_url(url, decode_responses=True) as store,
    ):
        owners = map(keys.generation_of, store.scan_iter(keys.any_generation, count=1_000))
        return {owner for owner in owners if owner is not None}
