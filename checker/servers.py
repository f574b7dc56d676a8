"""The servers of a deployment: those that are named, or embedded ones while they are needed.

A server's main process opens them and hands their URLs to its workers; a command opens them for
itself. An embedded server that dies meanwhile is started again.
"""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from cache.embedded import embedded_redis
from checker.config import Config
from checker.database.embedded import embedded_postgres
from checker.errors import ConfigurationError

REVIVE_S: Final = 0.5
"""Between two looks at an embedded server, which cost two locks of a file."""


@contextmanager
def open_servers(config: Config) -> Iterator[Config]:
    """Give the configuration with both URLs named, for as long as the servers are needed.

    The data directory is made first, for its owner alone: the secrets are in it.
    """
    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"the data directory cannot be made: {error.strerror}") from error
    with contextlib.ExitStack() as stack:
        redis_url = config.redis_url
        if redis_url is None:
            redis_url = stack.enter_context(
                embedded_redis(config.data_dir / "redis", revive_s=REVIVE_S)
            )
        database_url = config.database_url
        if database_url is None:
            database_url = stack.enter_context(
                embedded_postgres(config.data_dir / "postgres", revive_s=REVIVE_S)
            )
        yield msgspec.structs.replace(config, redis_url=redis_url, database_url=database_url)
