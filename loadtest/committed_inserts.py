"""Runs the baseline that commits an INSERT for each request, beside a service that is measured."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtest.baseline_committed_insert import DATABASE_URL_VARIABLE, make_table
from loadtest.bench_checks import ServiceRun
from loadtest.children import START_SECONDS, free_port, listens, started
from loadtest.large_list import filling

_BASELINE = "loadtest.baseline_committed_insert:app"


@contextmanager
def committed_inserts(run: ServiceRun, folder: Path, workers: int) -> Iterator[int]:
    """Run the baseline in a database of its own on a service's PostgreSQL; gives its port."""
    place, port = run.data / "postgres", free_port()
    url = f"postgresql+asyncpg://postgres@/baseline?host={place}"
    asyncio.run(_make_database(place, url))
    granian = [sys.executable, "-m", "granian", _BASELINE, "--factory", "--interface", "asgi"]
    options = ["--workers", str(workers), "--loop", "uvloop", "--http", "1", "--no-ws"]
    env = {**os.environ, DATABASE_URL_VARIABLE: url}
    command = [*granian, *options, "--log-level", "warning", "--port", str(port)]
    with started(command, folder / "baseline.log", env=env) as child:
        child.wait_until(lambda: listens(port), what="listening", seconds=START_SECONDS)
        yield port


async def _make_database(place: Path, url: str) -> None:
    async with filling(place) as connection:
        await connection.execute("CREATE DATABASE baseline")
    await make_table(url)
