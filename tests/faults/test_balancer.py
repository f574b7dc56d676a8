"""Two nodes behind HAProxy are restarted one after the other, and no request is lost.

HAProxy runs with the example of deploy/haproxy.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.faults.faulty_service import in_force
from tests.support.asking import FLIGHT, question
from tests.support.left_out import program
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    CHECKER,
    PATIENCE_S,
    RunningService,
    free_port,
    plain_environment,
    running_service,
    wait_until,
    wait_until_healthy,
)
from tests.support.town import DEBTOR, INNOCENT

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
CALLERS = 2

pytestmark = pytest.mark.xdist_group("more faults")


class Node:
    """One of the nodes: it is started and stopped on the same port."""

    def __init__(self, first: RunningService) -> None:
        self.port = free_port()
        log_file = first.log_file.with_name(f"{self.port}.log")
        self._service = RunningService(f"http://127.0.0.1:{self.port}", first.data_dir, log_file)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["serve", "--port", str(self.port), "--data-dir", str(self._service.data_dir)]
        with self._service.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [CHECKER, *words], stdout=log, stderr=subprocess.STDOUT, env=plain_environment()
            )
        wait_until_healthy(self._service, self._process)
        wait_until(lambda: httpx.get(f"{self._service.url}/readyz").is_success)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE_S)


def test_a_rolling_restart_behind_the_balancer_loses_no_request() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder())
        # This server keeps the stores. HAProxy does not know it.
        first = stack.enter_context(running_service(folder))
        in_force(first)
        nodes = [Node(first), Node(first)]
        for node in nodes:
            stack.callback(node.stop)
            node.start()
        url = stack.enter_context(_balancer(*nodes))
        told: list[str] = []
        is_over = threading.Event()

        def ask() -> None:
            key = first.keys["institution"]
            headers = {"authorization": f"Bearer {key}"}
            with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
                while not is_over.is_set():
                    told.extend(_outcome(client, number) for number in (DEBTOR, INNOCENT))

        asking = [threading.Thread(target=ask) for _ in range(CALLERS)]
        for each in asking:
            each.start()
        for node in nodes:
            before = len(told)
            wait_until(lambda before=before: len(told) > before + 20)
            node.stop()
            node.start()
        is_over.set()
        for each in asking:
            each.join(PATIENCE_S)
    assert set(told) == {"deny", "allow"}


def _outcome(client: httpx.Client, number: str) -> str:
    try:
        response = client.post("/v1/checks", json=question(number, FLIGHT))
        return str(response.json()["decision"]) if response.is_success else response.text
    except httpx.HTTPError as error:
        return repr(error)


@contextmanager
def _balancer(first: Node, second: Node) -> Iterator[str]:
    front = f"127.0.0.1:{free_port()}"
    named = {
        "CHECKER_FRONT": front,
        "CHECKER_NODE_A": first.address,
        "CHECKER_NODE_B": second.address,
    }
    found = program("haproxy")
    assert found is not None
    command = [found, "-f", str(CONFIGURATION)]
    environ = {**os.environ, **named}
    subprocess.run([*command, "-c"], env=environ, check=True, stdout=subprocess.DEVNULL)
    balancer = subprocess.Popen([*command, "-db"], env=environ, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(front))
        yield f"http://{front}"
    finally:
        balancer.kill()
        balancer.wait(PATIENCE_S)


def _answers(front: str) -> bool:
    try:
        return httpx.get(f"http://{front}/healthz").is_success
    except httpx.TransportError:
        return False
