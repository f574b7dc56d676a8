"""Bounds how long a body may make no progress, and how many callers without a key may send one.

Every body of the API comes in through `Bodies`:

- A body of which nothing comes for `PROGRESS_S` is given up: 408. A body may take as long as it
  takes in all: a court's snapshot comes in for minutes.
- At most `KEYLESS_MAX` bodies of callers without a key are under way in one process. One more, and
  the oldest of them is given up: 503. An honest filing has its body in the packet behind its
  headers, so the older a body is, the less likely is it an honest caller's. To refuse the newest
  would let `KEYLESS_MAX` silent callers keep everybody else out.

Both answers close the connection. A key that is not valid is refused before its body is read.

Time is counted in looks, not in seconds: a process that is frozen does not look, so it gives up no
body that arrived meanwhile. A check pays 0.2 µs: `read` is made for it, and puts no wrapper around
a body that comes in one part.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from checker.api.exchange import read_body
from checker.errors import BodyStalled, Crowded
from checker.work import Work

PROGRESS_S: Final = 10.0
"""A mobile network that lost a packet sends it again within two or three seconds."""

KEYLESS_MAX: Final = 256
"""A process of ours takes in thousands of filings in a second, each for some milliseconds."""

LOOK_S: Final = 0.5
"""Between two looks at the bodies that are under way."""

LOOKS_MAX: Final = round(PROGRESS_S / LOOK_S)

Receive = Callable[[], Awaitable[Any]]


class Bodies:
    """The bodies that come in to one process; for one event loop."""

    def __init__(self, *, keyless_max: int = KEYLESS_MAX) -> None:
        self._keyless_max = keyless_max
        self._looks = 0
        # Given to `current_task`, which takes three times as long to find it.
        self._loop: asyncio.AbstractEventLoop | None = None
        # Tasks that wait for a part of a body, each with the number of looks when it began to.
        self._waiting: dict[asyncio.Task[Any], int] = {}
        # Bodies of callers without a key, the oldest first, each with the task that reads it.
        self._keyless: dict[object, asyncio.Task[Any]] = {}
        self._given_up: dict[asyncio.Task[Any], BodyStalled | Crowded] = {}

    def watched(self, receive: Receive) -> Receive:
        """Return an ASGI `receive` that raises BodyStalled where nothing comes for too long.

        Behind a whole body it waits for the caller to hang up, for as long as that takes.
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

    async def read(self, receive: Receive, limit: int) -> bytes:
        """Read a whole body of at most `limit` bytes.

        Raises:
            BodyStalled: nothing comes for too long.
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
            # No variable may hold the error: its traceback would hold that variable, and both the
            # request until the next garbage collection, and the server its connection open.
            raise self._given_up.pop(task) from None
        finally:
            self._waiting.pop(task, None)
        body: bytes = message.get("body", b"")
        if message.get("more_body") or message["type"] != "http.request" or len(body) > limit:
            return await read_body(self.watched(receive), limit, first=message)
        return body

    @contextmanager
    def keyless(self, receive: Receive) -> Iterator[Receive]:
        """Give a `receive` for the request of a caller without a key, while the request lasts.

        It raises as that of `watched`, and Crowded where too many newer bodies came.
        """
        watched = self.watched(receive)
        body = object()
        is_whole = False

        async def keyless_receive() -> Any:
            nonlocal is_whole
            if is_whole:  # this waits for the caller to hang up
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
        """Give up the bodies that have made no progress."""
        self._looks += 1
        for task, since in tuple(self._waiting.items()):
            if self._looks - since > LOOKS_MAX:
                self._give_up(task, BodyStalled("the body has made no progress; send it again"))

    @property
    def work(self) -> Work:
        """Look again and again."""

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
            # No variable may hold the error: its traceback would hold that variable, and both the
            # request until the next garbage collection, and the server its connection open.
            raise self._given_up.pop(task) from None
        finally:
            # Another `receive` of ours around this one may have done so.
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
