"""Keeps a process off a database until the database is known to be its deployment's.

A process may start while PostgreSQL is away. The database that comes back may be another
deployment's, or have an older schema. No engine behind the gate makes a connection until the
database was verified, so no statement of the process can reach a wrong database.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.errors import Unavailable


class Gate:
    """A gate that is closed at first, and is opened once for good."""

    def __init__(self) -> None:
        self.is_open = False

    def open(self) -> None:
        """Let the engines connect from now on."""
        self.is_open = True

    def guard(self, engine: AsyncEngine) -> None:
        """Let `engine` raise Unavailable in place of each new connection while the gate is shut."""
        event.listen(engine.sync_engine, "do_connect", self._refuse)

    def _refuse(self, *_: Any) -> None:
        if not self.is_open:
            raise Unavailable("the registry has not been reached yet")
