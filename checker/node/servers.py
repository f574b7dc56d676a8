"""The servers of a deployment: named servers, or embedded servers for as long as needed.

A server's main process opens them and hands their URLs to its workers; a command opens them for
itself. An embedded server that dies meanwhile is started again.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from checker.config import DATABASE_VARIABLE, POOLER_VARIABLE, Config
from checker.deployment_secrets import SECRETS_FILE, are_in_environment
from checker.embedded import embedded_redis
from checker.embedded.postgres import embedded_postgres
from checker.errors import ConfigurationError

POSTGRES_FOLDER: Final = "postgres"
"""The folder of the embedded PostgreSQL in the data directory."""

REVIVE_S: Final = 0.5
"""Between two looks at an embedded server, which cost two locks of a file."""


def refuse_open_folder(folder: Path) -> None:
    """Refuse a data directory in which another user could put other secrets or another list.

    Raises:
        ConfigurationError: the group or everybody may write there.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigurationError(
            f"others may write in the data directory (mode {mode:04o}): chmod go-w {folder}"
        )


def refuse_missing_deployment(config: Config, environ: Mapping[str, str]) -> None:
    """Refuse a data directory without a deployment, unless the environment names all of one.

    Raises:
        ConfigurationError: the secrets or the database are nowhere.
    """
    folder = config.data_dir
    has_secrets = are_in_environment(environ) or (folder / SECRETS_FILE).exists()
    has_database = config.database_url is not None or (folder / POSTGRES_FOLDER).exists()
    if not (has_secrets and has_database):
        raise ConfigurationError(f"there is no deployment in {folder}: --data-dir names another")


@contextmanager
def open_servers(config: Config) -> Iterator[Config]:
    """Yield the configuration with the URLs of both servers, which run meanwhile.

    The data directory is made first, for its owner alone, because it holds the secrets. Where the
    `config` may not begin a deployment, nothing is made.

    Raises:
        ConfigurationError: a URL is not valid, there is no deployment, or the data directory cannot
            be used.
    """
    _refuse_bad_urls(config)
    if not config.may_begin:
        refuse_missing_deployment(config, os.environ)
    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"the data directory cannot be made: {error.strerror}") from error
    refuse_open_folder(config.data_dir)
    is_embedded = config.redis_url is None or config.database_url is None
    if is_embedded and not os.access(config.data_dir, os.W_OK | os.X_OK):
        raise ConfigurationError("the data directory cannot be written")
    with contextlib.ExitStack() as stack:
        redis_url = config.redis_url
        if redis_url is None:
            redis_url = stack.enter_context(
                embedded_redis(config.data_dir / "redis", revive_s=REVIVE_S)
            )
        database_url = config.database_url
        if database_url is None:
            database_url = stack.enter_context(
                embedded_postgres(config.data_dir / POSTGRES_FOLDER, revive_s=REVIVE_S)
            )
        yield msgspec.structs.replace(config, redis_url=redis_url, database_url=database_url)


def _refuse_bad_urls(config: Config) -> None:
    if config.database_url is None:
        if config.pooler_url is not None:
            raise ConfigurationError(
                f"{POOLER_VARIABLE} needs {DATABASE_VARIABLE}, which leads to PostgreSQL itself"
            )
        return
    from checker.database import urls  # noqa: PLC0415 - imports SQLAlchemy

    urls.database_url(config.database_url)
    if config.pooler_url is not None:
        urls.database_url(config.pooler_url, POOLER_VARIABLE)
