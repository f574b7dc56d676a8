"""The data folder of a PostgreSQL that was made and upgraded once, to be copied for new servers.

A start on a new folder makes the data folder and runs every migration, which takes 1.4 s of
processor time. `tests/integration/embedded`, the demo and the commands without a server still
start on nothing.
"""

import asyncio
import atexit
import subprocess
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from checker.database.engine import open_engine
from checker.database.upgrade import upgrade
from checker.embedded.postgres import embedded_postgres
from tests.support.private_folder import private_folder


def place_upgraded_data(folder: Path) -> None:
    """Make `folder` for an embedded PostgreSQL, with the newest schema and no row of ours."""
    folder.mkdir(mode=0o700, parents=True)
    # `cp -a` keeps the owner, which is the account that the server runs as.
    subprocess.run(["cp", "-a", _upgraded_data(), folder / "data"], check=True)


@cache
def _upgraded_data() -> Path:
    """Return the data folder that is copied; its server has ended in order."""
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder())
        with embedded_postgres(folder / "postgres") as url:
            asyncio.run(_upgrade(url))
        atexit.register(stack.pop_all().close)
    return folder / "postgres" / "data"


async def _upgrade(url: str) -> None:
    async with open_engine(url, timeout_s=None) as engine:
        await upgrade(engine)
