"""Runs the service that is measured: on embedded servers, with a population as its list."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from loadtest.children import (
    IMPORTED,
    START_SECONDS,
    Child,
    checker_program,
    finished,
    free_port,
    is_well,
    listens,
    started,
)
from loadtest.generator import LOOPBACK
from loadtest.population import Population

COMMAND_SECONDS = 900.0
"""The longest command is the import of the largest list that is measured."""

_OWN_SERVERS = frozenset({"REDIS_URL", "DATABASE_URL", "CHECKER_CONFIG", "CHECKER_DATA_DIR"})


class ServiceRun(msgspec.Struct, frozen=True, kw_only=True):
    """A service at work: its port, its data directory, and the key of an institution."""

    port: int
    key: str
    data: Path
    child: Child
    program: Path

    def new_key(
        self, role: str, name: str | None = None, *, quota: int = 0, daily_quota: int = 0
    ) -> str:
        """Return a new key of the account of this name; the default is one account for each role.

        The quotas are items a minute and a day; 0 means no limit.
        """
        return _new_key(self, role, name or f"bench {role}", (quota, daily_quota))


@contextmanager
def service_run(
    population: Population,
    folder: Path,
    *,
    workers: int = 1,
    settings: str | None = None,
    program: Path | None = None,
) -> Iterator[ServiceRun]:
    """Run the service with the population as its list.

    `settings` is the text of its config file. `program` is the `checker` of another installation.
    """
    checker = program or checker_program()
    data, port = folder / "data", free_port()
    env = service_environment(os.environ)
    published = folder / "list.ndjson"
    with published.open("wb") as file:
        file.writelines(population.zxgk_lines())
    serve = [str(checker), "serve", "--host", LOOPBACK, "--port", str(port)]
    serve += ["--workers", str(workers), "--data-dir", str(data)]
    if settings is not None:
        config = folder / "settings.toml"
        config.write_text(settings, encoding="utf-8")
        serve += ["--config", str(config)]
    with started(serve, folder / "serve.log", env=env) as child:
        child.wait_until(lambda: listens(port), what="listening", seconds=START_SECONDS)
        load = [str(checker), "import", str(published), "--format", "zxgk", "--snapshot"]
        finished([*load, "--data-dir", str(data)], env=env, seconds=COMMAND_SECONDS, codes=IMPORTED)
        keyless = ServiceRun(port=port, key="", data=data, child=child, program=checker)
        key = keyless.new_key("institution")
        child.wait_until(lambda: is_well(port, "/readyz"), what="ready", seconds=START_SECONDS)
        yield msgspec.structs.replace(keyless, key=key)


@contextmanager
def second_server(run: ServiceRun, folder: Path, *, workers: int) -> Iterator[int]:
    """Run one more server on the same data, and yield its port."""
    port = free_port()
    serve = [str(run.program), "serve", "--host", LOOPBACK, "--port", str(port)]
    options = ["--workers", str(workers), "--data-dir", str(run.data)]
    env = service_environment(os.environ)
    with started([*serve, *options], folder / "second.log", env=env) as child:
        child.wait_until(lambda: is_well(port, "/readyz"), what="ready", seconds=START_SECONDS)
        yield port


def service_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without servers, settings or data other than the benchmark's own."""
    return {name: value for name, value in environment.items() if name not in _OWN_SERVERS}


def _new_key(run: ServiceRun, role: str, name: str, limits: tuple[int, int]) -> str:
    create = [str(run.program), "keys", "create", "--role", role, "--name", name]
    quotas = ["--quota", str(limits[0]), "--daily-quota", str(limits[1])]
    command = [*create, *quotas, "--data-dir", str(run.data)]
    env = service_environment(os.environ)
    return finished(command, env=env, seconds=COMMAND_SECONDS).strip()
