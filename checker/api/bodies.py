"""Bounds how long a body may make no progress, and how many bodies may arrive without a key.

Every body of the API arrives through `Bodies`, under two bounds:

- A body of which nothing arrives for `PROGRESS_S` is given up: 408. The total time of a feed, a
  batch or a file is not bounded, because the snapshot of a court arrives for minutes. The setting
  `[server] body_timeout_s` bounds the total time of every other body (`read_body`).
- At most `KEYLESS_MAX` bodies without a key may be arriving in one process. When one more begins,
  the oldest of them is given up: 503. The body of an honest filing arrives in the packet behind its
  headers, so an old body is rarely honest. We give up the oldest and not the newest: otherwise
  `KEYLESS_MAX` silent callers could keep everybody else out.

Both answers close the connection. An invalid key is refused before the body is read.

Time is counted in looks, not in seconds. A frozen process does not look, so a body that arrived
meanwhile is not given up. A check pays 0.2 µs: `read` puts no wrapper around a body that arrives in
one part.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from checker.api.exchange import read_body
from checker.errors import BodyStalled, Crowded
from checker.work import Work

PROGRESS_S: Final = 10.0
"""A mobile network resends a lost packet within two or three seconds."""

KEYLESS_MAX: Final = 256
"""One process receives thousands of filings a second, each within some milliseconds."""

LOOK_S: Final = 0.5
"""The time between two looks at the arriving bodies."""

LOOKS_MAX: Final = round(PROGRESS_S / LOOK_S)

Receive = Callable[[], Awaitable[Any]]


class Bodies:
    """The bodies that are arriving at one process, on one event loop."""

    def __init__(self, *, keyless_max: int = KEYLESS_MAX) -> None:
        self._keyless_max = keyless_max
        self._looks = 0
        # An argument of `current_task`, which takes three times as long without it.
        self._loop: asyncio.AbstractEventLoop | None = None
        # The tasks that wait for a part of a body, each with the number of looks at its start.
        self._waiting: dict[asyncio.Task[Any], int] = {}
        # The bodies without a key, the oldest first, each with the task that reads it.
        self._keyless: dict[object, asyncio.Task[Any]] = {}
        self._given_up: dict[asyncio.Task[Any], BodyStalled | Crowded] = {}

    def watched(self, receive: Receive) -> Receive:
        """Return an ASGI `receive` that raises BodyStalled if nothing arrives for too long.

        After the end of the body it waits without a bound, for the end of the connection.
        """
        is_whole = False

        async def watched_receive() -> Any:
            nonlocal is_whole
            if is_whole:
                return await receive()
            message = await self._next(receive)
            is_whole = not message.get("more_body", False)
            return message

        return watched_receive

    async def read(self, receive: Receive, limit: int, *, within_s: float | None = None) -> bytes:
        """Return a whole body of at most `limit` bytes.

        Raises:
            BodyStalled: nothing arrives for too long, or the whole takes longer than `within_s`.
            TooLarge, InvalidRequest: as `read_body`.
        """
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._waiting[task] = self._looks
        try:
            message = await receive()
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
            task.uncancel()
            # No variable may hold the error. The traceback of the error holds this frame with its
            # variables, so the connection would stay open until the next garbage collection.
            raise self._given_up.pop(task) from None
        finally:
            self._waiting.pop(task, None)
        body: bytes = message.get("body", b"")
        if message.get("more_body") or message["type"] != "http.request" or len(body) > limit:
            watched = self.watched(receive)
            return await read_body(watched, limit, first=message, within_s=within_s)
        return body

    @contextmanager
    def keyless(self, receive: Receive) -> Iterator[Receive]:
        """Yield a `receive` for the request of a caller without a key.

        It raises like `watched`, and raises Crowded if too many newer bodies have begun to arrive.
        """
        watched = self.watched(receive)
        body = object()
        is_whole = False

        async def keyless_receive() -> Any:
            nonlocal is_whole
            if is_whole:  # this waits for the end of the connection
                return await receive()
            self._admit(body)
            message = await watched()
            if not message.get("more_body", False):
                is_whole = True
                self._keyless.pop(body, None)
            return message

        try:
            yield keyless_receive
        finally:
            self._keyless.pop(body, None)

    def look(self) -> None:
        """Give up every body that has made no progress for too long."""
        self._looks += 1
        for task, since in tuple(self._waiting.items()):
            if self._looks - since > LOOKS_MAX:
                self._give_up(task, BodyStalled("the body has made no progress; send it again"))

    @property
    def work(self) -> Work:
        """Return the work of looking at the arriving bodies every half second."""

        async def look() -> None:
            self._loop = asyncio.get_running_loop()
            self.look()

        return Work(name="watching bodies", every_s=LOOK_S, do=look)

    async def _next(self, receive: Receive) -> Any:
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._waiting[task] = self._looks
        try:
            return await receive()
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
            task.uncancel()
            # No variable may hold the error. The traceback of the error holds this frame with its
            # variables, so the connection would stay open until the next garbage collection.
            raise self._given_up.pop(task) from None
        finally:
            # Another `receive` of ours around this one may have removed the task.
            self._waiting.pop(task, None)

    def _admit(self, body: object) -> None:
        task = asyncio.current_task()
        assert task is not None
        is_new = body not in self._keyless
        self._keyless[body] = task
        if is_new and len(self._keyless) > self._keyless_max:
            oldest = next(iter(self._keyless))
            error = Crowded("too many requests without a key are unfinished")
            self._give_up(self._keyless.pop(oldest), error)

    def _give_up(self, task: "asyncio.Task[Any]", error: BodyStalled | Crowded) -> None:
        if task in self._waiting and task not in self._given_up:
            self._given_up[task] = error
            task.cancel()
