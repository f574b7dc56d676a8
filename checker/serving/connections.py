"""Bounds the connections of one worker, so that silent callers shut the door to nobody.

A connection is trusted once it has sent a key that is in force. Connections that are not trusted
are bounded in number, together and for each network address. A new connection past a bound takes
the place of the oldest one that waits for its caller: idle, or with an unfinished head. So a
newcomer always gets its time to send a request, also for `/healthz` and `/readyz`. Where none of
the oldest waits, the oldest one goes, though its request is being answered: callers who read their
answers slowly would shut the door else. A connection with a key gives way only while it waits.

Time is counted in looks, not in seconds: a frozen process does not look, so the callers of that
time are not cut off. A request pays no timer.
"""

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Final, Protocol

import msgspec

from checker.work import Work

LOOK_S: Final = 0.5
"""The time between two looks at the connections."""

ADDRESS_SHARE: Final = 4
"""An address has at most this part of the connections without a key: one caller, or a network of
callers behind one address, leaves room for others."""

KEYLESS_SHARE: Final = 2
"""At most this part of all connections are without a key: the others are for callers with one."""

SEARCHED_MAX: Final = 64
"""Connections that are searched for one that waits."""


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a worker: connections, and seconds for a head and for idling."""

    connections_max: int
    header_timeout_s: float
    idle_timeout_s: float

    @property
    def keyless_max(self) -> int:
        """The connections that may be open without a key."""
        return max(self.connections_max // KEYLESS_SHARE, 1)

    @property
    def address_max(self) -> int:
        """The connections that one address may have open without a key."""
        return max(self.keyless_max // ADDRESS_SHARE, 1)

    @property
    def header_looks(self) -> int:
        """Looks after which an unfinished head is cut off."""
        return max(round(self.header_timeout_s / LOOK_S), 1)

    @property
    def idle_looks(self) -> int:
        """Looks after which an idle connection, or an answer that nobody reads, is cut off."""
        return max(round(self.idle_timeout_s / LOOK_S), 1)


class BoundConnection(Protocol):
    """The part of a connection that the bounds need."""

    @property
    def address(self) -> str:
        """The network address of the peer."""

    @property
    def is_waiting(self) -> bool:
        """Whether the connection waits for its caller, and no request is being answered."""

    def look(self) -> None:
        """Close the connection if its caller has taken too long."""

    def abort(self) -> None:
        """Close the connection at once."""


class Connections:
    """The connections of one worker. `looks` counts the looks since the start.

    `all_closed` is set once the worker ends and has no connection.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.looks = 0
        self.is_ending = False
        self.all_closed = asyncio.Event()
        # The oldest first, as in the two tables below.
        self._trusted: dict[BoundConnection, None] = {}
        self._keyless: dict[BoundConnection, None] = {}
        self._keyless_at: dict[str, dict[BoundConnection, None]] = {}

    def __len__(self) -> int:
        return len(self._trusted) + len(self._keyless)

    def admit(self, connection: BoundConnection) -> None:
        """Take in a new connection. Where there is no room, close the oldest one that waits."""
        neighbours = self._keyless_at.setdefault(connection.address, {})
        limits = self.limits
        if len(neighbours) >= limits.address_max:
            crowd: Iterable[BoundConnection] = neighbours
        elif len(self._keyless) >= limits.keyless_max:
            crowd = self._keyless
        elif len(self) >= limits.connections_max:
            crowd = self._trusted
        else:
            crowd = ()
        neighbours[connection] = self._keyless[connection] = None
        if crowd:
            self._make_room(crowd, connection)

    def trust(self, connection: BoundConnection) -> None:
        """Note that the connection has sent a key that is in force."""
        self._forget_keyless(connection)
        self._trusted[connection] = None

    def forget(self, connection: BoundConnection) -> None:
        """Drop a connection that has ended."""
        self._forget_keyless(connection)
        self._trusted.pop(connection, None)
        self._note_end()

    def look(self) -> None:
        """Look at each connection once."""
        self.looks += 1
        for connection in (*self._keyless, *self._trusted):
            connection.look()

    def begin_ending(self) -> None:
        """Let each connection end with its next answer, which says so."""
        self.is_ending = True
        self._note_end()

    def end(self) -> None:
        """Close the connections that wait for their callers."""
        for connection in (*self._keyless, *self._trusted):
            if connection.is_waiting:
                connection.abort()

    @property
    def work(self) -> Work:
        """Look at the connections, again and again."""

        async def look() -> None:
            self.look()

        return Work(name="watching connections", every_s=LOOK_S, do=look)

    def _note_end(self) -> None:
        if self.is_ending and not self:
            self.all_closed.set()

    def _make_room(self, crowd: Iterable[BoundConnection], newcomer: BoundConnection) -> None:
        last_resort = newcomer if crowd is self._trusted else next(iter(crowd))
        oldest = islice(crowd, SEARCHED_MAX)
        victim = next((each for each in oldest if each.is_waiting), last_resort)
        self.forget(victim)
        victim.abort()

    def _forget_keyless(self, connection: BoundConnection) -> None:
        if connection not in self._keyless:
            return
        del self._keyless[connection]
        neighbours = self._keyless_at[connection.address]
        del neighbours[connection]
        if not neighbours:
            del self._keyless_at[connection.address]
