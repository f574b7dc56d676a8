"""A PostgreSQL and a Redis that a test owns, and what may become of each.

Nobody starts them again and nobody else uses them, so a situation lasts as long as the test wants.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from checker.embedded import embedded_redis
from checker.embedded.postgres import embedded_postgres
from tests.support.running_service import LOOK_S, PATIENCE_S, processes_of

_END_OURS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND NOT pid = ANY($1::int[])
"""
_TRIES_AT_ONCE = 10
_TAKEN_LOOKS = 10
"""So many looks in a row find no connection of ours: one that has just begun shows late."""

_TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""

_REFUSE_WRITES = """
    CREATE FUNCTION refuse_as_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END $$
"""

_REFUSE_WRITES_OF = (
    "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE OR DELETE ON {} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_as_full()"
)


class OwnStores:
    """Both servers, by the environment that names them."""

    def __init__(self, postgres_url: str, redis_url: str, folder: Path) -> None:
        self.environ = {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url}
        self._url = postgres_url.replace("+asyncpg", "")
        self._folder = folder

    def postgres(self) -> list[psutil.Process]:
        """Return the server and all that serve connections."""
        found = processes_of(self._folder / "postgres" / "data")
        children = [child for one in found for child in one.children(recursive=True)]
        assert found
        return [*found, *children]

    def redis(self) -> list[psutil.Process]:
        """Return the server."""
        place = str(self._folder / "redis")
        found = [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == place]
        assert found
        return found

    @contextmanager
    def postgres_dead(self) -> Iterator[None]:
        """Kill PostgreSQL; nothing starts it again."""
        killed = self.postgres()
        for process in killed:
            process.kill()
        psutil.wait_procs(killed, timeout=PATIENCE_S)
        yield

    @contextmanager
    def postgres_full(self) -> Iterator[None]:
        """Let every write fail with the code of a full disk. A real one fails some writes only."""
        with self._runner() as run:
            tables = run(self._tables())
            run(self._execute(_REFUSE_WRITES))
            for table in tables:
                run(self._execute(_REFUSE_WRITES_OF.format(table)))
            try:
                yield
            finally:
                # One table at a time: a lock on all of them at once would wait in a circle.
                for table in tables:
                    run(self._execute(f"DROP TRIGGER full_disk ON {table}"))
                run(self._execute("DROP FUNCTION refuse_as_full"))

    @contextmanager
    def postgres_read_only(self) -> Iterator[None]:
        """Let PostgreSQL take no writes, as a standby does."""
        with self._runner() as run:
            run(self._execute("ALTER SYSTEM SET default_transaction_read_only = on"))
            run(self._execute("SELECT pg_reload_conf()"))
            try:
                yield
            finally:
                run(self._execute("ALTER SYSTEM RESET default_transaction_read_only"))
                run(self._execute("SELECT pg_reload_conf()"))

    @contextmanager
    def connections_used_up(self) -> Iterator[None]:
        """Let somebody else hold every connection that PostgreSQL has, ours among them."""
        with self._runner() as run:
            held = run(self._take_all())
            try:
                yield
            finally:
                run(self._give_back(held))

    @contextmanager
    def _runner(self) -> Iterator[Any]:
        with asyncio.Runner() as runner:
            yield runner.run

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _tables(self) -> list[str]:
        connection = await asyncpg.connect(self._url)
        try:
            tables: list[str] = [row[0] for row in await connection.fetch(_TABLES)]
        finally:
            await connection.close()
        assert tables
        return tables

    async def _take_all(self) -> list[asyncpg.Connection]:
        """Take what is free, and what comes free as our connections end."""
        held = [await asyncpg.connect(self._url)]
        looks = 0
        while looks < _TAKEN_LOOKS:
            # Several at once, because our own connections are begun anew as fast.
            tries = [asyncpg.connect(self._url) for _ in range(_TRIES_AT_ONCE)]
            for made in await asyncio.gather(*tries, return_exceptions=True):
                if isinstance(made, asyncpg.Connection):
                    held.append(made)
                else:
                    assert isinstance(made, asyncpg.TooManyConnectionsError)
            own = [connection.get_server_pid() for connection in held]
            ended = await held[0].fetch(_END_OURS, own)
            looks = 0 if ended else looks + 1
            if not ended:
                await held[0].fetch("SELECT pg_sleep($1)", LOOK_S)
        return held

    async def _give_back(self, held: list[asyncpg.Connection]) -> None:
        for connection in held:
            await connection.close()


@contextmanager
def own_stores(folder: Path) -> Iterator[OwnStores]:
    """Start both."""
    with ExitStack() as stack:
        redis_url = stack.enter_context(embedded_redis(folder / "redis"))
        postgres_url = stack.enter_context(embedded_postgres(folder / "postgres"))
        yield OwnStores(postgres_url, redis_url, folder)
