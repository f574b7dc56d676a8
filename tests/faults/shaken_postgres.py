"""A PostgreSQL of a test's own, and each thing that may befall it.

`tests.faults.own_stores` has the situations in which the server lives on.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from checker.embedded.postgres import embedded_postgres
from tests.faults.faulty_service import frozen
from tests.faults.own_stores import OwnStores
from tests.support.postgres_template import place_upgraded_data
from tests.support.running_service import PATIENCE_S

_BLOCK = bytes(1 << 20)


class ShakenPostgres:
    """One server on a Unix socket, which is started again by hand alone."""

    def __init__(self, folder: Path) -> None:
        place_upgraded_data(folder / "postgres")
        self._folder = folder / "postgres"
        self._held = ExitStack()
        self.url = self.start()
        # The stores know no Redis here.
        self.own = OwnStores(self.url, "", folder)

    @property
    def socket(self) -> Path:
        return self._folder / ".s.PGSQL.5432"

    def start(self) -> str:
        return self._held.enter_context(embedded_postgres(self._folder))

    def end(self) -> None:
        self._held.close()

    def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Return the rows of one statement."""

        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
            try:
                return await connection.fetch(statement, *arguments)
            finally:
                await connection.close()

        return asyncio.run(fetch())

    @contextmanager
    def dead(self) -> Iterator[None]:
        self._kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        with frozen(*self.own.postgres()):
            yield

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let somebody else hold a table, as a migration or a backup tool may."""
        with asyncio.Runner() as runner:

            async def lock() -> asyncpg.Connection:
                connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
                await connection.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                return connection

            connection = runner.run(lock())
            try:
                yield
            finally:
                runner.run(connection.close())

    @contextmanager
    def full(self, volume: Path | None) -> Iterator[None]:
        """Fill the volume to the last page; without a volume, let triggers refuse all writes."""
        if volume is None:
            with self.own.postgres_full():
                yield
            return
        filler = volume / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(_BLOCK)
        try:
            yield
        finally:
            filler.unlink()
            # PostgreSQL gives up where it cannot write its log: then its operator starts it.
            if not [one for one in self._processes() if one.is_running()]:
                self._held.close()
            self.start()

    def copy(self) -> None:
        """Copy the data as they are now: what an asynchronous standby has."""
        data = self._folder / "data"
        with frozen(*self.own.postgres()):
            subprocess.run(["cp", "-a", data, data.with_name("standby")], check=True)

    def restore(self) -> None:
        """Let the copy take over: nothing that was committed since is there any more."""
        folder = self._folder
        gone = self._processes()
        for process in gone:
            process.suspend()
        (folder / "data").rename(folder / "lost")
        (folder / "standby").rename(folder / "data")
        (folder / "data" / "postmaster.pid").unlink()
        self._kill(gone)
        shutil.rmtree(folder / "lost")
        self.start()

    def _processes(self) -> list[psutil.Process]:
        try:
            return self.own.postgres()
        except AssertionError:
            return []

    def _kill(self, processes: list[psutil.Process] | None = None) -> None:
        processes = self._processes() if processes is None else processes
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=PATIENCE_S)
