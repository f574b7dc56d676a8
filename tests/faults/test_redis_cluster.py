"""Two nodes on a Redis cluster, which fails over and moves the slot of the list under load.

All servers give the service the documented rights alone (`docs/deployment.md`).
"""

import asyncio
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from cache.keys import KeyFamily, stem_of
from tests.faults.fault_table import FaultRow
from tests.faults.mixed_load import PEOPLE, World
from tests.faults.shaken_postgres import ShakenPostgres
from tests.faults.test_reliability import TRIES_MAX, observed
from tests.faults.till_over_http import person_number
from tests.faults.two_node_stand import Node, Stand, make_keys, running_node
from tests.faults.wires import wires
from tests.support.cluster_server import ClusterServer
from tests.support.private_folder import private_folder
from tests.support.running_service import run_command, wait_until
from tests.support.shaken_cluster import ShakenCluster, shaken_cluster, slot_of
from tests.support.town import document, listing, ndjson, person

pytestmark = pytest.mark.xdist_group("cluster of redis")

PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"
PASSWORD = "secret"
SHARE_MIN = 0.99
RECOVERY_S_MAX = 15.0

COUNTS_SLOT = slot_of(stem_of("checker", KeyFamily.COUNTS, in_cluster=True))
PAGES_SLOT = slot_of(stem_of("checker", KeyFamily.PAGES, in_cluster=True))


@contextmanager
def _pages_lost(cluster: ShakenCluster) -> Iterator[None]:
    """Kill the master of the pages with its replica: no cluster serves with a slot uncovered."""
    master = cluster.owner(PAGES_SLOT)
    lost = [cluster.replica_of(master), master]
    for server in lost:
        server.kill()
    yield
    for server in lost:
        server.start()
    wait_until(cluster.is_whole)


FAULTS = {
    "nothing": None,
    "the owner of the list is killed, and its replica leads": lambda it: it.owner_killed(),
    "the owner of the list is frozen until its replica leads": lambda it: it.owner_frozen(),
    "the replica of the list takes over in peace": lambda it: it.failed_over(),
    "the owner of the counts is killed": lambda it: it.owner_killed(COUNTS_SLOT),
    "a master is killed with its replica": _pages_lost,
    "the slot of the list is half moved, and comes back": lambda it: it.half_moved(),
    "the slot of the list goes to another master and back five times": lambda it: (
        it.moved_to_and_fro()
    ),
    "the slot of the list is moved in one step, and comes back": lambda it: it.moved_at_once(),
}


@pytest.fixture(scope="module")
def ground(seed: int) -> Iterator[tuple[Stand, World]]:
    """Two nodes on one cluster, with the spenders on their list."""
    with private_folder() as folder, ExitStack() as stack:
        user = ("--user", "checker", *_rights())
        cluster = stack.enter_context(shaken_cluster(folder, options=user))
        postgres = ShakenPostgres(folder)
        stack.callback(postgres.end)
        lines = stack.enter_context(wires())
        nodes = []
        for number in range(2):
            to_postgres = lines.add(postgres.socket, seed + number)
            environ = {
                "REDIS_URL": cluster.url.replace("://", f"://checker:{PASSWORD}@"),
                "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{to_postgres.port}/postgres",
            }
            service = stack.enter_context(running_node(folder, number, environ))
            nodes.append(Node(service, None, to_postgres))
        first, second = nodes
        make_keys(first, second)
        spenders = [
            listing(f"spender-{each}", person(f"{each}", document(person_number(each))))
            for each in PEOPLE
        ]
        with first.service.client(first.service.keys["court"]) as court:
            report = court.put("/v1/feed/snapshot", content=ndjson(spenders)).json()
        assert report["accepted"] == len(spenders), report
        clock = folder / "clock"
        yield Stand(cluster, postgres, (first, second), lines, folder, None, seed, clock), World()


def _rights() -> list[str]:
    [rights] = re.findall(r"ACL SETUSER checker (.+)\n", PAGE.read_text(encoding="utf-8"))
    return str(rights).replace("PASSWORD", PASSWORD).split()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_cluster_makes_no_answer_wrong_and_loses_nothing(
    ground: tuple[Stand, World], name: str
) -> None:
    standing, world = ground
    befall = FAULTS[name]
    row = FaultRow(
        name,
        lambda stand: _nothing() if befall is None else befall(stand.redis),
        SHARE_MIN,
        recovery_s_max=RECOVERY_S_MAX,
    )
    for _ in range(TRIES_MAX):
        try:
            result = asyncio.run(observed(standing, world, row))
        finally:
            world.renew()
        sys.stdout.write(f"{result}\n")
        if result.wrong or result.lost or not result.shortfall_in_time:
            break
    assert result.wrong == []
    assert result.lost == []
    assert result.shortfall_in_time == ""


def test_afterwards_the_cluster_is_in_order_and_refused_no_command(
    ground: tuple[Stand, World],
) -> None:
    standing, _ = ground
    assert standing.faults_logged() == []
    assert [refused for each in standing.redis.servers for refused in _refusals(each)] == []
    service = standing.nodes[0].service
    told = run_command(service.data_dir, "doctor", named=service.named)
    assert "6 servers, 3 masters" in told.stdout, told


def _refusals(server: ClusterServer) -> list[str]:
    try:
        return [str(each) for each in server.ask("ACL", "LOG")]
    except ResponseError:
        return []
