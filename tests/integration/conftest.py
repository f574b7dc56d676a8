"""A real Redis and a real PostgreSQL for the tests: no skip, no fake."""

import asyncio
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from checker.database.engine import open_engine
from checker.database.upgrade import upgrade
from checker.embedded.postgres import embedded_postgres
from checker.embedded.redis import usual_programs
from tests.support.private_folder import private_folder


class RedisServer:
    """A server of its own: its URL, and its process to freeze."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self._process = process

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


StartRedis = Callable[..., AbstractContextManager[RedisServer]]


@contextmanager
def running_redis(*options: str, program: Path | None = None) -> Iterator[RedisServer]:
    """Run a Redis: `program`, or else the one that the service starts too."""
    with private_folder() as folder:
        socket_path = folder / "s"
        usual = ["--port", "0", "--unixsocket", socket_path, "--save", "", "--dir", folder]
        process = subprocess.Popen(
            [program or next(usual_programs()), *usual, *options],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            # No command: a server that wants a password refuses each.
            patience = Retry(ConstantBackoff(0.02), 500, supported_errors=(OSError,))
            patience.call_with_retry(lambda: connect(socket_path), lambda _fault: None)
            yield RedisServer(f"unix://{socket_path}", process)
        finally:
            process.kill()
            process.wait()


def connect(socket_path: Path) -> None:
    """Connect once; OSError where nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(str(socket_path))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis that tests may empty."""
    with running_redis() as server:
        yield server.url


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis for one test alone, to be frozen or starved."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def start_redis() -> StartRedis:
    """Return a function that starts a Redis, with options or a program of its own."""
    return running_redis


class PostgresServer:
    """A server of this run; its databases are copies of one that was upgraded once.

    Nothing on it has to survive a crash of the machine, so it waits for no disk.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        asyncio.run(self._make_template())

    def url_of(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?")

    def create(self, *, upgraded: bool = True, copy_of: str | None = None) -> str:
        """Make a database and give its URL; `copy_of` is the URL of one that nobody uses now."""
        name = f"t_{uuid4().hex}"
        template = "template_upgraded" if upgraded else "template1"
        if copy_of is not None:
            template = copy_of.partition("?")[0].rpartition("/")[2]
        asyncio.run(self._command(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
        return self.url_of(name)

    def drop(self, url: str) -> None:
        name = url.partition("?")[0].rpartition("/")[2]
        asyncio.run(self._command(f"DROP DATABASE {name} WITH (FORCE)"))

    async def _make_template(self) -> None:
        await self._commands(
            [
                "ALTER SYSTEM SET fsync = off",
                "SELECT pg_reload_conf()",
                "CREATE DATABASE template_upgraded",
            ]
        )
        async with open_engine(self.url_of("template_upgraded"), timeout_s=None) as engine:
            await upgrade(engine)

    async def _command(self, statement: str) -> None:
        await self._commands([statement])

    async def _commands(self, statements: Sequence[str]) -> None:
        connection = await asyncpg.connect(self._url.replace("+asyncpg", ""))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for all tests of this run."""
    with private_folder() as folder, embedded_postgres(folder / "server") as url:
        yield PostgresServer(url)


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an upgraded, empty database for one test alone."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def bare_database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a database without any table."""
    url = postgres_server.create(upgraded=False)
    yield url
    postgres_server.drop(url)
