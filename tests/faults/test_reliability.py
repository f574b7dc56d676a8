"""Each fault of the table, under the mixed load, one after the other on the same two nodes."""

import asyncio
import os
import sys
from collections.abc import Iterator
from time import monotonic

import pytest

from tests.faults.acknowledged_writes import losses
from tests.faults.fault_table import FAULTS, FaultRow
from tests.faults.memory_growth import MEMORY_BYTES_MAX, growth
from tests.faults.mixed_load import PEOPLE, Load, World
from tests.faults.reliability_page import PAGE, Result, write_page
from tests.faults.till_over_http import person_number
from tests.faults.two_node_stand import Stand, stand
from tests.support.running_service import run_command, wait_until
from tests.support.town import document, listing, ndjson, person

pytestmark = pytest.mark.xdist_group("reliability")

SECONDS = float(os.environ.get("FAULT_SECONDS", "1.5"))
IS_LONG = "FAULT_SECONDS" in os.environ
BEFORE_S = 0.3
TRIES_MAX = 2
"""A row that was slow is seen once more, for this machine may have stood still. A wrong answer or a
lost write is never seen again."""

SHORT = {
    "nothing",
    "Redis killed",
    "Redis restarted with an old dump",
    "Redis failed over to a lagging replica, and again",
    "one node cut off from Redis",
    "PostgreSQL restored to an older state",
    "both nodes renewed, one after the other",
    "a worker killed in a batch",
    "the publisher killed with a generation half-built",
    "the clock of one node 6 s ahead, then back",
}
"""The rows of `make test`: one for each kind of fault, and those that no other file of this folder
has. `make faults` has all."""

ROWS = [row for row in FAULTS if IS_LONG or row.name in SHORT]


def test_every_short_row_is_in_the_table() -> None:
    stepped = {name for name in SHORT if name.startswith("the clock")}
    assert SHORT - stepped <= {row.name for row in FAULTS}


@pytest.fixture(scope="module")
def ground(seed: int) -> Iterator[tuple[Stand, World]]:
    """Two nodes with the spenders on their list."""
    with stand(seed) as standing:
        spenders = [
            listing(f"spender-{each}", person(f"{each}", document(person_number(each))))
            for each in PEOPLE
        ]
        service = standing.nodes[0].service
        with service.client(service.keys["court"]) as court:
            report = court.put("/v1/feed/snapshot", content=ndjson(spenders)).json()
        assert report["accepted"] == len(spenders), report
        yield standing, World()


@pytest.fixture(scope="module")
def results(seed: int) -> Iterator[list[Result]]:
    """The results of all rows, which a long run writes on the page."""
    found: list[Result] = []
    yield found
    if IS_LONG and found:
        write_page(found, seconds=SECONDS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_makes_no_answer_wrong_and_loses_nothing(
    ground: tuple[Stand, World], results: list[Result], row: FaultRow
) -> None:
    standing, world = ground
    for _ in range(TRIES_MAX):
        result = _observed_once(standing, world, row)
        sys.stdout.write(f"{result}\n")
        if result.wrong or result.lost or not result.shortfall_in_time:
            break
    results.append(result)
    assert result.wrong == []
    assert result.lost == []
    assert result.shortfall_in_time == ""
    assert result.growth_bytes <= MEMORY_BYTES_MAX


def _observed_once(standing: Stand, world: World, row: FaultRow) -> Result:
    is_good = False
    try:
        result = asyncio.run(observed(standing, world, row))
        is_good = not result.wrong and not result.lost
    finally:
        if not is_good:
            world.renew()
    return result


async def observed(standing: Stand, world: World, row: FaultRow) -> Result:
    """Let the fault befall the stand under the load, and return what was seen of it."""
    load = Load(standing, world)
    standing.load = load
    async with growth(standing) as grown, load.running():
        await load.recovered()
        await load.stay(BEFORE_S)
        load.seen.begin()
        fault = row.inject(standing)
        await asyncio.to_thread(fault.__enter__)
        try:
            await load.stay(SECONDS)
        finally:
            await asyncio.to_thread(fault.__exit__, None, None, None)
        healed_at = monotonic()
        recovered_at = await load.recovered()
    lost = await asyncio.to_thread(losses, standing, load, world.registers)
    return Result(
        row=row,
        wrong=load.seen.wrong,
        lost=lost,
        share=load.seen.share,
        slowest_s=load.seen.slowest_s,
        recovery_s=max(recovered_at - healed_at, 0.0),
        growth_bytes=grown[0],
        answers=sum(load.seen.answered.values()),
        unanswered=sum(load.seen.asked.values()) - sum(load.seen.answered.values()),
        acknowledged=load.seen.changes + len(load.seen.decisions) + len(load.crowd.model.steps),
        reasons=str(dict(load.seen.reasons)),
    )


def test_afterwards_the_record_verifies_and_nothing_unexpected_is_logged(
    ground: tuple[Stand, World],
) -> None:
    standing, _ = ground
    assert standing.faults_logged() == []
    verified: list[str] = []

    def is_chained() -> bool:
        service = standing.nodes[0].service
        done = run_command(service.data_dir, "audit", "verify", named=service.named)
        verified.append(done.stdout + done.stderr)
        return done.returncode == 0

    wait_until(is_chained)
    assert verified[-1].endswith(", 0 faults\n"), verified[-1]


def test_the_page_has_a_row_for_each_fault() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [row.name for row in FAULTS if f"| {row.name} |" not in page] == []
