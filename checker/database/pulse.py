"""The pulse of PostgreSQL: one look at a time, for all connections of a process.

A server that is frozen or cut off answers nothing, so every statement would wait for its own
time-out, and the next statement behind it. A look asks PostgreSQL a small question on a connection
of its own. No answer in time means silence. Then the pulse ends all connections of the process, so
that everything that waits fails at once. It makes no new connection until a look is answered. An
error is an answer: a server that refuses or restarts is not silent.

    a statement waits at most     PAUSE_S + SILENT_AFTER_S + GRACE_S = 0.75 s
    then, until PostgreSQL is back, nothing waits

A look also sees whether PostgreSQL takes writes. A full disk shows only when somebody writes: now
and then a look writes a little, and the pools report their errors here (`heard`).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakSet

import asyncpg

from checker.database.outages import outage_of
from checker.database.primary import connect_primary, end_connection
from checker.database.sqlstates import TEXTS
from checker.database.urls import connect_options
from checker.errors import Outage, Unavailable
from checker.work import Work

PAUSE_S: Final = 0.2
"""Between an answer and the next look."""

SILENT_AFTER_S: Final = 0.5
"""A look without an answer after so long proves silence. A look on a busy machine takes a fraction
of this time. With the pause, the time is less than the second in which a request is answered."""

GRACE_S: Final = 0.05
"""An answer that lies ready while this process was busy is read in this time."""

TRIAL_PAUSE_S: Final = 2.0
"""Between two trials to write, each of which takes PostgreSQL some two milliseconds."""

FULL_FOR_S: Final = 2.0
"""How long one refused write keeps the state "full". A trial that passes does not end the state
sooner, because the trial and the refused write write in different places."""

_LOOK = "SELECT current_setting('transaction_read_only')"
_TRIAL = (
    "SET LOCAL work_mem = '64kB'",
    "SET LOCAL temp_tablespaces = ''",
    "SELECT count(*) FROM generate_series(1, 10000)",
)
"""Writes some 140 kB to a temporary file of the database: no table, no lock, nothing is left."""

_log = logging.getLogger(__name__)


class Pulse:
    """PostgreSQL as one process sees it. Without its `work` a pulse refuses nothing."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._own: asyncpg.Connection | None = None
        self._connections: WeakSet[asyncpg.Connection] = WeakSet()
        self._connecting: set[asyncio.Task[asyncpg.Connection]] = set()
        self._is_away = False
        self._is_read_only = False
        self._full_at: float | None = None
        self._tried_at = clock()

    @property
    def is_away(self) -> bool:
        """Whether PostgreSQL does not answer now; meanwhile everything is refused at once."""
        return self._is_away

    @property
    def writes_refused(self) -> Outage | None:
        """Why PostgreSQL takes no writes now; None: it takes writes, as far as is known."""
        if self._full_at is not None:
            return Outage.FULL
        return Outage.READ_ONLY if self._is_read_only else None

    def takes_writes(self) -> bool:
        """Return whether PostgreSQL answers and takes writes, as far as is known."""
        return not self._is_away and self.writes_refused is None

    async def connect(self, **options: Any) -> asyncpg.Connection:
        """Connect as `connect_primary` does.

        Raises:
            Unavailable: PostgreSQL is away, or falls silent meanwhile.
        """
        if self._is_away:
            raise _away()
        connecting = asyncio.create_task(connect_primary(**options))
        self._connecting.add(connecting)
        try:
            await asyncio.wait([connecting])
        except asyncio.CancelledError:
            # The caller has gone, and the connection may be there already.
            connecting.cancel()
            connecting.add_done_callback(end_connection)
            raise
        finally:
            self._connecting.discard(connecting)
        if connecting.cancelled():
            raise _away()
        connection = connecting.result()
        self._connections.add(connection)
        return connection

    def heard(self, outage: Outage | None) -> None:
        """Note the outage that an error of any connection stands for."""
        if outage is Outage.FULL:
            if self._full_at is None:
                _log.error("PostgreSQL: %s", TEXTS[outage])
            self._full_at = self._clock()

    @property
    def work(self) -> Work:
        """Look again and again; after the end nothing is refused any more."""
        return Work(
            name="looking whether PostgreSQL answers",
            every_s=PAUSE_S,
            do=self.look,
            at_end=self._end,
        )

    async def _end(self) -> None:
        self._is_away = False
        self._leave()

    async def look(self) -> None:
        """Look once, in bounded time, and act on the answer."""
        error = await self._look_once()
        if error is not None and not isinstance(error, TimeoutError):
            # A restart ends the connection of the look too: a second look shows whether it is over.
            error = await self._look_once()
        if error is None or isinstance(error, asyncpg.PostgresError):
            self._answered()
        else:
            self._not_answered(error)

    async def _look_once(self) -> Exception | None:
        """Look; return the error that the look met."""
        looking = asyncio.create_task(self._ask())
        try:
            for patience_s in (SILENT_AFTER_S, GRACE_S):
                await asyncio.wait([looking], timeout=patience_s)
            if not looking.done():
                return TimeoutError()
        finally:
            looking.cancel()
            looking.add_done_callback(_disregard)
        try:
            looking.result()
        except Exception as error:
            self._leave()
            self.heard(outage_of(error))
            return error
        return None

    async def _ask(self) -> None:
        if self._own is None or self._own.is_closed():
            options = connect_options(self._url)
            self._own = await connect_primary(**options)
        self._note_read_only(await self._own.fetchval(_LOOK) == "on")
        if self._clock() - self._tried_at >= TRIAL_PAUSE_S:
            self._tried_at = self._clock()
            await self._try_to_write(self._own)

    async def _try_to_write(self, own: asyncpg.Connection) -> None:
        try:
            async with own.transaction():
                for statement in _TRIAL:
                    await own.execute(statement)
        except asyncpg.DiskFullError:
            self.heard(Outage.FULL)
            return
        if self._full_at is not None and self._clock() - self._full_at >= FULL_FOR_S:
            self._full_at = None
            _log.warning("PostgreSQL has room to write again")

    def _leave(self) -> None:
        if self._own is not None:
            self._own.terminate()
            self._own = None

    def _note_read_only(self, is_read_only: bool) -> None:
        if is_read_only is not self._is_read_only:
            self._is_read_only = is_read_only
            _log.warning("PostgreSQL takes %s", "no writes" if is_read_only else "writes again")

    def _answered(self) -> None:
        if self._is_away:
            _log.warning("PostgreSQL answers again")
        self._is_away = False

    def _not_answered(self, error: Exception) -> None:
        if not self._is_away:
            _log.warning("PostgreSQL does not answer: %s", type(error).__name__)
        self._is_away = True
        self._leave()
        if isinstance(error, TimeoutError):
            self._end_connections()

    def _end_connections(self) -> None:
        """End all connections without a message to PostgreSQL, which would not read it."""
        for connection in list(self._connections):
            connection.terminate()
        self._connections.clear()
        for connecting in self._connecting:
            connecting.cancel()


def _away() -> Unavailable:
    return Unavailable(TEXTS[Outage.AWAY], outage=Outage.AWAY)


def _disregard(task: asyncio.Task[Any]) -> None:
    """Read how the task ended, or the event loop would log that nobody did."""
    with contextlib.suppress(asyncio.CancelledError):
        task.exception()
