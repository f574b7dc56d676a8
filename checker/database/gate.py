"""Keeps a process off a database until the database is known to be its deployment's.

A process may start while PostgreSQL is away. Which database comes back is not known then: it may be
another deployment's, or have an older schema. Until somebody has looked, no engine behind the gate
makes a connection, so no statement of any part of the process can reach a wrong database.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from checker.errors import Unavailable


class Gate:
    """Closed at first; opened once, for good."""

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
