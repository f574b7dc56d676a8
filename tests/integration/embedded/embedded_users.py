"""Processes that use embedded servers, as the tests start, watch, signal and kill them."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Self, assert_never

import redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from checker.embedded.detached import UnixAccount, UnixProcess
from checker.embedded.postgres import PostgresProgram, embedded_postgres
from checker.embedded.redis import RedisProgram, embedded_redis

PATIENCE_S = 30.0

# Says where the server is once it has it, and leaves when its standard input ends.
_USER = """
import os, signal, sys
from pathlib import Path
from {module} import {name} as use

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with use(Path(sys.argv[1]), revive_s={revive_s}) as url:
    {then}
    print(url, flush=True)
    sys.stdin.read()
"""


class Kind(StrEnum):
    """The embedded servers."""

    REDIS = "redis"
    POSTGRES = "postgres"

    @property
    def program(self) -> RedisProgram | PostgresProgram:
        match self:
            case Kind.REDIS:
                return RedisProgram()
            case Kind.POSTGRES:
                return PostgresProgram()
            case _:
                assert_never(self)

    @property
    def use(self):
        match self:
            case Kind.REDIS:
                return embedded_redis
            case Kind.POSTGRES:
                return embedded_postgres
            case _:
                assert_never(self)

    def socket(self, url: str) -> Path:
        match self:
            case Kind.REDIS:
                return Path(url.removeprefix("unix://"))
            case Kind.POSTGRES:
                folder = url.partition("?host=")[2].partition("&")[0]
                return Path(folder) / self.program.socket_name
            case _:
                assert_never(self)


class User:
    """One process that uses the server of a folder, started as `account`, or as the tests are."""

    def __init__(
        self,
        kind: Kind,
        folder: Path,
        *,
        account: UnixAccount | None = None,
        then: str = "pass",
        revive_s: float | None = None,
    ) -> None:
        self.kind = kind
        script = _USER.format(
            module=kind.use.__module__, name=kind.use.__name__, then=then, revive_s=revive_s
        )
        command = [sys.executable, "-B", "-c", script, str(folder)]
        self.process = subprocess.Popen(
            [*(account.through if account else ()), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
        self.url = ""

    def enter(self) -> Self:
        """Wait until it has its server."""
        self.url = self.process.stdout.readline().strip()
        assert self.url, f"user ended with {self.process.wait(PATIENCE_S)}"
        return self

    @property
    def socket(self) -> Path:
        return self.kind.socket(self.url)

    @property
    def server(self) -> int:
        """Return the process number of the server on the socket."""
        return listener(self.socket)

    def leave(self) -> int:
        """Have it leave; its exit code."""
        self.process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        self.process.stdin.close()
        return code

    def kill(self) -> None:
        self.process.kill()
        self.wait()


def listener(socket: Path) -> int:
    found = UnixProcess.listening_on(socket)
    assert found is not None, f"nobody listens on {socket}"
    return found.pid


def is_listened_on(socket: Path, *, but: int) -> bool:
    """Whether a process other than `but` listens there."""
    found = UnixProcess.listening_on(socket)
    return found is not None and found.pid != but


def serves(url: str) -> bool:
    """Whether a client of the ordinary kind gets an answer."""
    if url.startswith("unix:"):
        with redis.Redis.from_url(url) as client:
            return client.ping()
    return query(url, "SELECT 1") == 1


def query(url: str, *statements: str) -> object:
    """Run statements on PostgreSQL as the service does; the last one's first value."""

    async def run() -> object:
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            for statement in statements:
                answer = await connection.execute(text(statement))
            value = answer.scalar() if answer.returns_rows else None
        await engine.dispose()
        return value

    return asyncio.run(run())


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be asked by its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait for what another process is about to do."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True
