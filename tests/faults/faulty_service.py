"""A server of two workers on embedded stores, its processes, and how they are frozen."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psutil

from tests.support.asking import FLIGHT, ask, problem, question
from tests.support.running_service import RunningService, processes_of, wait_until, words_of
from tests.support.town import DEBTOR, INNOCENT, TOWN, ndjson

WORKERS = 2
ASKED = 8
"""On so many connections of their own both workers are met, but for once in 128 times."""

RIGHT = [("allow", "deny")] * ASKED
DEBTORS_LISTING = "1"


def in_force(service: RunningService) -> None:
    """Make keys, and put the town's list in force."""
    service.make_keys({role: ("--role", role) for role in ("institution", "court", "operator")})
    assert put(service, ndjson(TOWN)).json()["accepted"] == len(TOWN)


def put(service: RunningService, lines: bytes) -> httpx.Response:
    with service.client(service.keys["court"]) as court:
        return court.put("/v1/feed/snapshot", content=lines)


def change(service: RunningService, *lines: dict[str, Any]) -> None:
    """Send operations, all of which must stand."""
    with service.client(service.keys["court"]) as court:
        apply(court, *lines)


def apply(court: httpx.Client, *lines: dict[str, Any]) -> None:
    report = court.post("/v1/feed/changes", content=ndjson(lines)).json()
    assert (report["accepted"], report["rejected"]) == (len(lines), [])


def shield(op: str = "shield") -> dict[str, Any]:
    """Free the town's debtor for the time being; `unshield` ends it."""
    return {"op": op, "listing_id": DEBTORS_LISTING}


def outcomes(service: RunningService, *, timeout_s: float = 30.0) -> list[tuple[str, str]]:
    """An innocent and a debtor, several times, each on a connection that any worker may take."""
    seen = []
    for _ in range(ASKED):
        with service.client(service.keys["institution"]) as client:
            client.timeout = httpx.Timeout(timeout_s)
            told = [ask(client, number, FLIGHT)["decision"] for number in (INNOCENT, DEBTOR)]
        seen.append((told[0], told[1]))
    return seen


def answered(service: RunningService, number: str) -> list[str]:
    """Ask on several connections at once, and return the decisions, or `unavailable`."""

    def answer(_index: int) -> str | None:
        with service.client(service.keys["institution"]) as client:
            response = client.post("/v1/checks", json=question(number, FLIGHT))
        if response.is_success:
            told: str = response.json()["decision"]
            return told
        problem(response, 503, "unavailable")
        assert int(response.headers["retry-after"]) > 0
        return None

    with ThreadPoolExecutor(ASKED) as askers:
        return [told for told in askers.map(answer, range(ASKED)) if told is not None]


def is_ready(service: RunningService) -> bool:
    return readiness(service) == "ready"


def readiness(service: RunningService) -> str | None:
    """Return the server's own state; None: nothing can be vouched for, or no answer came."""
    try:
        told: str | None = httpx.get(f"{service.url}/readyz", timeout=30).json().get("status")
    except httpx.TransportError:
        return None
    return told if isinstance(told, str) else None


def all_nodes_are_told(service: RunningService) -> bool:
    """Return whether the list of nodes names every worker and nobody else, and no worker lags."""
    with service.client(service.keys["operator"]) as operator:
        told = operator.get("/v1/list").json()
    states = [(node["version"], node["lag_ms"]) for node in told["nodes"]]
    return states == [(told["version"], 0)] * WORKERS


def redis_of(service: RunningService) -> psutil.Process:
    [redis] = [
        process
        for process in psutil.process_iter(["cmdline", "cwd"])
        if "-server" in " ".join(process.info["cmdline"] or [])  # redis- or valkey-
        and process.info["cwd"] == str(service.data_dir / "redis")
    ]
    return redis


def postgres_of(service: RunningService) -> list[psutil.Process]:
    """The server and all that serve connections."""
    found = [one for one in processes_of(service.data_dir) if "postgres" in words_of(one)[0]]
    return [*found, *(child for one in found for child in one.children(recursive=True))]


def workers_of(service: RunningService) -> set[int]:
    """Wait until the publishing process can be distinguished from the workers."""
    publisher = publisher_of(service).pid
    return {process.pid for process in _spawned(service)} - {publisher}


def publisher_of(service: RunningService) -> psutil.Process:
    """The process that brings changes to Redis: the only one that listens nowhere."""
    found: list[psutil.Process] = []

    def is_found() -> bool:
        spawned = _spawned(service)
        found[:] = [child for child in spawned if not _listens(child)]
        return len(found) == 1 and len(spawned) > 1

    wait_until(is_found)
    return found[0]


def worker_that_answered(service: RunningService, response: httpx.Response) -> psutil.Process:
    """The process at the other end of the connection by which an answer came."""
    port = response.extensions["network_stream"].get_extra_info("client_addr")[1]
    [found] = [
        process
        for process in _spawned(service)
        for each in process.net_connections(kind="tcp")
        if each.raddr and each.raddr.port == port
    ]
    return found


@contextmanager
def frozen(*processes: psutil.Process) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def _spawned(service: RunningService) -> list[psutil.Process]:
    """The workers and the publishing process: spawned, or forked from the import process."""
    children = psutil.Process(service.pid).children(recursive=True)
    importing = {child.pid for child in children if "forkserver" in " ".join(words_of(child))}
    return [
        child
        for child in children
        if "spawn_main" in " ".join(words_of(child)) or child.ppid() in importing
    ]


def _listens(process: psutil.Process) -> bool:
    try:
        held = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN for each in held)
