"""Which migration is the newest, and what a start costs that finds none missing."""

import subprocess
import sys

from alembic.script import ScriptDirectory

from checker.database.upgrade import MIGRATIONS, newest_revision

SCRIPT = """
import asyncio, sys
from checker.database.engine import open_engine
from checker.database.upgrade import upgrade

async def start():
    async with open_engine(sys.argv[1], timeout_s=None) as engine:
        await upgrade(engine)

asyncio.run(start())
print("alembic" in sys.modules)
"""


def test_the_newest_file_is_the_newest_migration() -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def imports_alembic(url: str) -> bool:
    command = [sys.executable, "-c", SCRIPT, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"True\n": True, "False\n": False}[done.stdout]


def test_alembic_is_imported_where_migrations_are_missing_and_nowhere_else(
    bare_database_url: str,
) -> None:
    assert imports_alembic(bare_database_url)
    assert not imports_alembic(bare_database_url)
