"""Many orders while workers are killed and connections break: the cap holds.

Two documents become one person's in the middle. At the end the record agrees with the answers
of the clerks, step by step, and proves itself. `SPENDING_ORDERS=100000` sends a hundred thousand.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from itertools import groupby
from random import Random

import asyncpg
import psutil
import pytest

from checker.embedded.postgres import embedded_postgres
from tests.faults.faulty_service import WORKERS, apply, is_ready, workers_of
from tests.faults.till_over_http import TillOverHttp, person_number
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    OUTAGE_SETTINGS,
    RunningService,
    run_command,
    running_service,
    wait_until,
)
from tests.support.spending_crowd import Crowd, Model, Step
from tests.support.town import document, listing, person

pytestmark = pytest.mark.xdist_group("till crowd")

ORDERS = int(os.environ.get("SPENDING_ORDERS", "10000"))
TILLS = 50
MERCHANTS = 5
PEOPLE = range(1, 13)
KILLS = 1 + ORDERS // 30_000


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    workers = ("--workers", str(WORKERS))
    with (
        private_folder() as folder,
        running_service(folder, "serve", *workers, settings=OUTAGE_SETTINGS) as running,
    ):
        merchants = {f"merchant {place}": ("--role", "institution") for place in range(MERCHANTS)}
        running.make_keys({"court": ("--role", "court")} | merchants)
        with running.client(running.keys["court"]) as court:
            lines = [
                listing(f"spender-{each}", person(f"{each}", document(person_number(each))))
                for each in PEOPLE
            ]
            apply(court, *({"op": "list", "listing": line} for line in lines))
        yield running


@pytest.fixture(scope="module")
def crowd(service: RunningService, seed: int) -> Crowd:
    crowd = Crowd(people=PEOPLE, merchants=MERCHANTS, orders=ORDERS, seed=seed)
    keys = [service.keys[f"merchant {place}"] for place in range(MERCHANTS)]
    port = service.address[1]
    tills = [TillOverHttp(port, keys, seed + place) for place in range(TILLS)]

    async def work() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(crowd.work(tills))
                group.create_task(asyncio.to_thread(befall, service, crowd))
        finally:
            for till in tills:
                await till.aclose()

    try:
        asyncio.run(work())
    finally:
        sys.stdout.write(f"{told(crowd.model)}\n")
    assert sum(till.dropped for till in tills) > ORDERS / 500
    return crowd


def befall(service: RunningService, crowd: Crowd) -> None:
    """Kill workers, one after the other, and bind documents, while the crowd is at work."""
    rng = Random(crowd.seed)
    for turn in range(KILLS):
        wait_until_answered(crowd, ORDERS * (turn + 1) // (KILLS + 2))
        psutil.Process(rng.choice(sorted(workers_of(service)))).kill()
        wait_until(lambda: len(workers_of(service)) == WORKERS and is_ready(service))
        if turn == KILLS // 2:
            pairs = zip(PEOPLE[0:10:2], PEOPLE[1:10:2], strict=True)
            with service.client(service.keys["court"]) as court:
                for pair in pairs:
                    documents = [document(person_number(each)) for each in pair]
                    apply(court, {"op": "bind", "documents": documents})


def wait_until_answered(crowd: Crowd, orders: int) -> None:
    while crowd.model.sent - crowd.model.lost < orders:
        with pytest.raises(psutil.TimeoutExpired):
            psutil.Process().wait(0.05)


def told(model: Model) -> str:
    return (
        f"{model.sent} orders sent, {model.lost} answers lost, {model.said_again} said again,"
        f" {len(model.steps)} authorizations, {model.refused} refused"
    )


def rows_of(service: RunningService) -> dict[str, list[Step]]:
    async def read(url: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return await connection.fetch(
                "SELECT authorization_id::text, kind, amount_fen FROM authorization_step"
                " ORDER BY authorization_id, number"
            )
        finally:
            await connection.close()

    with embedded_postgres(service.data_dir / "postgres") as url:
        rows = asyncio.run(read(url))
    return {
        authorization_id: [(row["kind"], row["amount_fen"]) for row in group]
        for authorization_id, group in groupby(rows, key=lambda row: row["authorization_id"])
    }


def test_the_record_is_what_the_clerks_were_told(service: RunningService, crowd: Crowd) -> None:
    rows = rows_of(service)
    assert rows.keys() == crowd.model.steps.keys()
    wrong = {each: kept for each, kept in rows.items() if not crowd.model.agrees(each, kept)}
    assert wrong == {}
    assert crowd.model.sent >= ORDERS
    assert crowd.model.refused > 0


@pytest.mark.usefixtures("crowd")
def test_at_every_instant_what_was_held_and_captured_was_within_the_cap(
    service: RunningService,
) -> None:
    verified = run_command(service.data_dir, "audit", "verify")
    assert verified.returncode == 0, verified.stdout
    assert verified.stdout.endswith(", 0 faults\n")


@pytest.mark.usefixtures("crowd")
def test_nothing_unexpected_is_logged(service: RunningService) -> None:
    assert "Traceback" not in service.log(), service.log()
    assert "unexpected" not in service.log(), service.log()
