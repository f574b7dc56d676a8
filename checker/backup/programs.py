"""The programs of PostgreSQL that save and load a database, and how they are run.

The programs read the server and the password from variables of their own environment. So no
password stands in a list of processes.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from checker.database.urls import connect_options
from checker.embedded.postgres import wheel_programs
from checker.errors import ConfigurationError, Unavailable

PLACES: Final = Path("/usr/lib/postgresql")
"""Debian has the programs of each version here."""

VERSION_S_MAX: Final = 10.0
"""For a program to print its version, on a machine that is busy."""

_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR", "PGPASSFILE")
_OPTIONS: Final[Mapping[str, str]] = {
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "database": "PGDATABASE",
    "ssl": "PGSSLMODE",
}


def find_program(name: str, *, least: int, wanted: int) -> Path:
    """Return a program whose major version is `wanted`, or else the next one from `least` on.

    The programs of the embedded server, of the PATH and of Debian's folders are looked at.

    Raises:
        ConfigurationError: there is none that fits.
    """
    found = sorted(
        (version != wanted, version, str(path))
        for path in _candidates(name)
        for version in _versions(path)
        if version >= least
    )
    if not found:
        raise ConfigurationError(
            f"there is no {name} of PostgreSQL {least} or later: install postgresql-client-{wanted}"
        )
    return Path(found[0][2])


def database_name(url: str) -> str:
    """Return the name of the database of a URL; without one it is the user's name."""
    options: dict[str, Any] = connect_options(url)
    return str(options.get("database") or options.get("user") or "postgres")


def run_program(program: Path, arguments: Sequence[str], url: str) -> None:
    """Run a program against the database that `url` names, to its end.

    Raises:
        Unavailable: the program failed; the text has the first line of its errors.
    """
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL; no shell reads its arguments
        [program, "--no-password", *arguments],
        env=_environment(url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error:" in line]
        reason = lines[0].partition("error:")[2].strip() if lines else "no reason given"
        raise Unavailable(f"{program.name} failed: {reason}")


def _environment(url: str) -> dict[str, str]:
    options: dict[str, Any] = connect_options(url)
    named = {
        variable: str(options[option])
        for option, variable in _OPTIONS.items()
        if options.get(option)
    }
    for option, variable in (("host", "PGHOST"), ("port", "PGPORT")):
        value = options.get(option)
        if value:
            named[variable] = ",".join(map(str, value if isinstance(value, list) else [value]))
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | named | {"PGTARGETSESSIONATTRS": "read-write", "PGAPPNAME": "checker backup"}


def _candidates(name: str) -> Iterator[Path]:
    wheel = wheel_programs()
    if wheel is not None:
        yield wheel / name
    if found := shutil.which(name):
        yield Path(found)
    yield from PLACES.glob(f"*/bin/{name}")


def _versions(program: Path) -> Iterator[int]:
    """Yield the major version of a program; nothing where the program does not run here."""
    try:
        done = subprocess.run(  # noqa: S603 - a program of PostgreSQL
            [program, "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=VERSION_S_MAX,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if found := _VERSION.search(done.stdout):
        yield int(found[1])
