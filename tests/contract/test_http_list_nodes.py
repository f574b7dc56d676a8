"""What the operator sees of the nodes: who they are, and that none lacks a change."""

from typing import Any

import httpx
import pytest

from tests.support.changing import Court, Stranger
from tests.support.running_service import RunningService

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

WORKERS = 2


def nodes_of(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes that have the newest version; who has ended may be among the others."""
    assert all(set(node) == {"id", "version", "lag_ms"} for node in told["nodes"])
    assert len({node["id"] for node in told["nodes"]}) == len(told["nodes"])
    return [node for node in told["nodes"] if node["version"] == told["version"]]


def test_each_worker_is_a_node_that_has_what_was_answered(
    operator: httpx.Client, court: httpx.Client
) -> None:
    somebody, says = Stranger(), Court(court)
    ids = set()
    for line in (somebody.listed(), somebody.about("shield"), somebody.about("unshield")):
        version = says.do(line)
        told = operator.get("/v1/list").json()
        assert told["version"] == version
        current = nodes_of(told)
        assert [node["lag_ms"] for node in current] == [0] * WORKERS
        ids.add(frozenset(node["id"] for node in current))
    assert len(ids) == 1, "a node has the same id from one answer to the next"


def test_every_worker_tells_of_the_same_nodes(service: RunningService, court: httpx.Client) -> None:
    Court(court).do(Stranger().listed())
    told = set()
    for _ in range(8):
        with service.client(service.keys["operator"]) as operator:
            told.add(frozenset(node["id"] for node in nodes_of(operator.get("/v1/list").json())))
    assert len(told) == 1


def test_the_list_is_counted_anew_with_each_change(
    operator: httpx.Client, court: httpx.Client
) -> None:
    somebody, says = Stranger(), Court(court)
    before = operator.get("/v1/list").json()
    says.do(somebody.listed())
    after = operator.get("/v1/list").json()
    for counted in ("persons", "listings"):
        assert after[counted] == before[counted] + 1
    says.do(somebody.about("delist", ground="corrected"))
    ended = operator.get("/v1/list").json()
    for counted in ("persons", "organizations", "listings", "masked", "unresolved_officers"):
        assert ended[counted] == before[counted]
