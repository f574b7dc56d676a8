"""Starts the baselines, each with the store that it reads, filled with a population's list."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from getpass import getuser
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from string import Template

import asyncpg
import msgspec
import redis
from sqlalchemy import make_url

from checker.embedded.postgres import embedded_postgres
from checker.embedded.redis import embedded_redis
from loadtest.baselines.committed_insert import DATABASE_URL_VARIABLE, make_table
from loadtest.baselines.question import baseline_key
from loadtest.children import START_SECONDS, free_port, listens, started
from loadtest.crowd import ListForm
from loadtest.generator import LOOPBACK
from loadtest.large_list import filling
from loadtest.population import Population

KEYS_AT_ONCE = 1000
NGINX_PACKAGES = ("nginx-light", "libnginx-mod-http-lua", "lua-nginx-redis", "lua-cjson")
"""The Debian packages of the nginx baseline; the package `nginx-light` has the program."""

_NGINX_MODULES = Path("/usr/lib/nginx/modules")
_LUA_REDIS = Path("/usr/share/lua/5.1/nginx/redis.lua")
_CONFIG = Path(__file__).with_name("nginx_lua_redis.conf")


class BaselinePlace(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of the baselines, the list that they know, and the number of their workers.

    All baselines of one folder share one Redis.
    """

    folder: Path
    population: Population
    workers: int = 1


Running = Callable[[BaselinePlace], AbstractContextManager[int]]
"""Runs a baseline while its block runs, and yields its port."""


@contextmanager
def fastapi_redis(place: BaselinePlace) -> Iterator[int]:
    """Run FastAPI with one Redis GET."""
    with _redis(place) as url:
        env = {"BASELINE_REDIS_URL": url}
        with _uvicorn("loadtest.baselines.fastapi_redis:app", place, env) as port:
            yield port


@contextmanager
def psycopg_select(place: BaselinePlace) -> Iterator[int]:
    """Run FastAPI with one SELECT by psycopg, on a PostgreSQL of its own."""
    with embedded_postgres(place.folder / "baseline-postgres") as url:
        parts = make_url(url)
        host, port = str(parts.query["host"]), str(parts.query["port"])
        asyncio.run(_fill_table(host, int(port), place.population))
        env = {DATABASE_URL_VARIABLE: f"host={host} port={port} user=postgres dbname=postgres"}
        with _uvicorn("loadtest.baselines.psycopg_select:app", place, env) as listening:
            yield listening


@contextmanager
def litestar_typed(place: BaselinePlace) -> Iterator[int]:
    """Run the typed Litestar handler."""
    with _granian("loadtest.baselines.litestar_typed:app", place, ["--factory"]) as port:
        yield port


@contextmanager
def bare_asgi(place: BaselinePlace) -> Iterator[int]:
    """Run the bare ASGI callable."""
    with _granian("loadtest.baselines.bare_asgi:app", place, []) as port:
        yield port


@contextmanager
def nginx_lua_redis(place: BaselinePlace) -> Iterator[int]:
    """Run nginx with Lua and one Redis GET."""
    port = free_port()
    folder = place.folder / f"nginx-{place.workers}"
    folder.mkdir()
    with _redis(place) as url:
        names = {
            "MODULES": _NGINX_MODULES,
            "WORKERS": place.workers,
            "FOLDER": folder,
            "PORT": port,
            "REDIS": url.removeprefix("unix://"),
            "USER": getuser(),
        }
        config = folder / "nginx.conf"
        config.write_text(Template(_CONFIG.read_text()).substitute(names))
        command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]
        with started(command, folder / "nginx.log") as child:
            child.wait_until(lambda: listens(port), what="listening", seconds=START_SECONDS)
            yield port


@contextmanager
def committed_inserts(postgres: Path, place: BaselinePlace) -> Iterator[int]:
    """Run Litestar with one committed INSERT for each request.

    It has a database of its own on the PostgreSQL with this socket folder.
    """
    url = f"postgresql+asyncpg://postgres@/baseline?host={postgres}"
    asyncio.run(_make_database(postgres, url))
    env = {DATABASE_URL_VARIABLE: url}
    module = "loadtest.baselines.committed_insert:app"
    with _granian(module, place, ["--factory"], env) as port:
        yield port


@contextmanager
def committed_inserts_alone(place: BaselinePlace) -> Iterator[int]:
    """Run Litestar with one committed INSERT for each request, on a PostgreSQL of its own."""
    with embedded_postgres(place.folder / "baseline-postgres") as url:
        postgres = Path(str(make_url(url).query["host"]))
        with committed_inserts(postgres, place) as port:
            yield port


BASELINES: Mapping[str, Running] = {
    "fastapi": fastapi_redis,
    "psycopg": psycopg_select,
    "litestar": litestar_typed,
    "bare-asgi": bare_asgi,
    "nginx": nginx_lua_redis,
    "insert": committed_inserts_alone,
}
"""Each baseline by its name on the command line."""


def missing(name: str) -> str | None:
    """Return what the baseline of a name lacks on this machine; None where it can run."""
    if name == "nginx":
        needed = (_NGINX_MODULES / "ngx_http_lua_module.so", _LUA_REDIS)
        if which("nginx") is None or not all(file.exists() for file in needed):
            return f"the Debian packages {' '.join(NGINX_PACKAGES)}"
    modules = {"psycopg": "psycopg_pool", "litestar": "granian", "bare-asgi": "granian"}
    module = modules.get(name)
    if module and find_spec(module) is None:
        return f"the Python package {module}"
    return None


@contextmanager
def _redis(place: BaselinePlace) -> Iterator[str]:
    with embedded_redis(place.folder / "baseline-redis") as url:
        with redis.Redis.from_url(url) as client:
            if not client.dbsize():
                _fill_redis(client, place.population)
        yield url


def _fill_redis(client: redis.Redis, population: Population) -> None:
    pipe = client.pipeline(transaction=False)
    for key in _listed(population):
        pipe.set(key, b"1")
        if len(pipe) >= KEYS_AT_ONCE:
            pipe.execute()
    pipe.execute()


async def _fill_table(host: str, port: int, population: Population) -> None:
    # Imported here: the other baselines run where psycopg is not installed.
    from loadtest.baselines.psycopg_select import TABLE  # noqa: PLC0415 - see above

    connection = await asyncpg.connect(host=host, port=port, user="postgres", database="postgres")
    await connection.execute(TABLE)
    rows = [(key,) for key in _listed(population)]
    await connection.copy_records_to_table("listed", records=rows)
    await connection.execute("VACUUM (ANALYZE) listed")
    await connection.close()


def _listed(population: Population) -> set[str]:
    documents = (holder.documents[0] for holder in population.holders(ListForm.ZXGK))
    return {baseline_key(document.type, document.number) for document in documents}


async def _make_database(postgres: Path, url: str) -> None:
    async with filling(postgres) as connection:
        await connection.execute("DROP DATABASE IF EXISTS baseline")
        await connection.execute("CREATE DATABASE baseline")
    await make_table(url)


@contextmanager
def _uvicorn(application: str, place: BaselinePlace, env: Mapping[str, str]) -> Iterator[int]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    with _server(["uvicorn", application, *options], place, env) as port:
        yield port


@contextmanager
def _granian(
    application: str, place: BaselinePlace, options: list[str], env: Mapping[str, str] | None = None
) -> Iterator[int]:
    fixed = ["--interface", "asgi", "--loop", "uvloop", "--http", "1", "--no-ws"]
    command = ["granian", application, *options, *fixed, "--log-level", "warning"]
    with _server(command, place, env or {}) as port:
        yield port


@contextmanager
def _server(command: list[str], place: BaselinePlace, env: Mapping[str, str]) -> Iterator[int]:
    port = free_port()
    network = ["--host", LOOPBACK, "--port", str(port), "--workers", str(place.workers)]
    log = place.folder / f"{command[1].replace(':', '.')}.log"
    whole = [sys.executable, "-m", *command, *network]
    with started(whole, log, env={**os.environ, **env}) as child:
        child.wait_until(lambda: listens(port), what="listening", seconds=START_SECONDS)
        yield port
