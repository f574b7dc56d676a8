"""Examines the machine: the data directory, the secrets, the settings, and the system's limits.

Starts no server, and makes no file.
"""

import os
import resource
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from checker.config import Config
from checker.deployment_secrets import SECRET_VARIABLES, SECRETS_FILE
from checker.doctor.finding import Finding
from checker.serving.listening import BACKLOG

SOMAXCONN: Final = Path("/proc/sys/net/core/somaxconn")

FILES_BESIDE_CONNECTIONS: Final = 256
"""Files of a worker that are no connections of callers: stores, libraries, logs."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine as the service would find it. None: the fact is not known here.

    `secrets_from_environment` is the number of variables of secrets that are set.
    """

    data_dir: Path
    config_file: Path | None
    secrets_from_environment: int
    embedded: tuple[str, ...]
    user: int
    files_max: int | None
    connections_max: int
    somaxconn: int | None


def read_machine(config: Config, environ: Mapping[str, str]) -> Machine:
    """Return the facts about this machine and this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    named = {"Redis": config.redis_url, "PostgreSQL": config.database_url}
    return Machine(
        data_dir=config.data_dir,
        config_file=config.config_file,
        secrets_from_environment=sum(bool(environ.get(name)) for name in SECRET_VARIABLES),
        embedded=tuple(store for store, url in named.items() if url is None),
        user=os.geteuid(),
        files_max=None if hard == resource.RLIM_INFINITY else hard,
        connections_max=config.server.connections_max,
        somaxconn=int(SOMAXCONN.read_text()) if SOMAXCONN.exists() else None,
    )


def _data_directory(machine: Machine) -> Finding:
    name, folder = "data directory", machine.data_dir
    if not folder.is_dir():
        return Finding.warning(name, "does not exist", f"mkdir -m 700 {folder}")
    found = folder.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding.fault(
            name, f"others may write there (mode {mode:04o})", f"chmod 700 {folder}"
        )
    if machine.user not in {0, found.st_uid}:
        text = "belongs to another user than this process"
        return Finding.warning(name, text, f"run as that user, or chown {folder}")
    if mode & stat.S_IRWXO:
        return Finding.warning(
            name, f"others may read there (mode {mode:04o})", f"chmod 700 {folder}"
        )
    return Finding.ok(name, f"private (mode {mode:04o})")


def _secrets(machine: Machine) -> Finding:
    name, file = "secrets", machine.data_dir / SECRETS_FILE
    if machine.secrets_from_environment == len(SECRET_VARIABLES):
        return Finding.ok(name, "are in the environment")
    if machine.secrets_from_environment:
        text = "one variable is set and the other one is not"
        return Finding.fault(name, text, f"set {' and '.join(SECRET_VARIABLES)}, or none of them")
    if not file.exists():
        text = "are neither in the environment nor in the data directory"
        return Finding.fault(name, text, f"restore {file} from its safe copy")
    found = file.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        return Finding.fault(
            name, f"others may use the file (mode {mode:04o})", f"chmod 600 {file}"
        )
    if found.st_uid != machine.data_dir.stat().st_uid:
        text = "the file belongs to another user than the data directory"
        return Finding.fault(name, text, f"chown --reference={machine.data_dir} {file}")
    return Finding.ok(name, f"private file (mode {mode:04o})")


def _settings(machine: Machine) -> Finding:
    name, file = "settings", machine.config_file
    if file is None:
        text = "no file of settings: amounts are unset, and give review"
        return Finding.warning(
            name, text, "set the amounts of your jurisdiction (docs/settings.md)"
        )
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Finding.fault(
            name, f"others may change them (mode {mode:04o})", f"chmod go-w {file}"
        )
    return Finding.ok(name, "are read from a file that others cannot change")


def _servers(machine: Machine) -> Finding:
    if machine.embedded:
        text = f"embedded: {' and '.join(machine.embedded)}; these are for trying and testing"
        return Finding.warning("servers", text, "name your own by DATABASE_URL and REDIS_URL")
    return Finding.ok("servers", "both are named by the environment")


def _open_files(machine: Machine) -> Finding:
    name, needed = "open files", machine.connections_max + FILES_BESIDE_CONNECTIONS
    if machine.files_max is not None and machine.files_max < needed:
        text = f"the hard limit is {machine.files_max}, a worker may need {needed}"
        return Finding.warning(name, text, f"raise the limit (LimitNOFILE={needed} in systemd)")
    return Finding.ok(name, "the hard limit suffices for all connections of a worker")


def _waiting_connections(machine: Machine) -> Finding:
    name = "waiting connections"
    if machine.somaxconn is not None and machine.somaxconn < BACKLOG:
        text = (
            f"the system keeps {machine.somaxconn} of them waiting, the service asks for {BACKLOG}"
        )
        return Finding.warning(name, text, f"sysctl net.core.somaxconn={BACKLOG}")
    return Finding.ok(name, "the system keeps as many waiting as the service asks for")


EXAMINATIONS: Final[tuple[Callable[[Machine], Finding], ...]] = (
    _servers,
    _data_directory,
    _secrets,
    _settings,
    _open_files,
    _waiting_connections,
)
