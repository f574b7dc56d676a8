"""Receives the whole body of a feed before anything is done with the body.

The transaction of a feed begins when its body is complete. So a sender that is slow, silent or gone
holds no connection to PostgreSQL and no lock. The sender holds a place here, and these bounds keep
places free:

| bound                    | past the bound                                                      |
|--------------------------|---------------------------------------------------------------------|
| `PROGRESS_S_MAX`         | 408 for a body that arrives in drops. A body of which nothing       |
|                          | arrives is given up sooner (`checker.api.bodies`)                   |
| `BODY_BYTES_MAX`         | 413                                                                 |
| `PLACES_OF_ACCOUNT_MAX`  | 503 for the body of the account that was silent for longest         |
| `PLACES_MAX`             | the same, over all accounts                                         |
| `FREE_BYTES_MIN` of disk | 503 (`checker.intake.sealed_spool`)                                 |

A body needs a place if it is slow (`QUICK_S`) or large (it goes to disk). A short quick body needs
no place, so a delisting is received however many uploads are stuck.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from checker.errors import BodyStalled, InvalidRequest, TooLarge, Unavailable
from checker.intake.sealed_spool import SealedSpool, open_sealed_spool
from checker.intake.wanted import boot_clock

BODY_BYTES_MAX: Final = 16 << 30
"""Twenty million listings: more than the whole list."""

PROGRESS_S_MAX: Final = 15.0
PROGRESS_BYTES_MIN: Final = 1024
"""The bytes that must arrive in `PROGRESS_S_MAX`, unless the body ends: a modem of 1980 is faster,
and a link that is silent for longer is broken."""

QUICK_S: Final = 1.0
PLACES_OF_ACCOUNT_MAX: Final = 8
"""A court sends one list at a time, and a few changes beside it."""

PLACES_MAX: Final = 64
"""64 MiB of memory at most in one process."""


class UploadedBody:
    """A complete body; `sha256` is the digest of its bytes."""

    def __init__(self, spool: SealedSpool, sha256: bytes) -> None:
        self._spool = spool
        self.sha256 = sha256
        self.whole_at = boot_clock()

    @property
    def seconds_since_end(self) -> float:
        """Return the seconds since the last byte arrived."""
        return boot_clock() - self.whole_at

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes. Raises Unavailable if the disk is faulty."""
        for number in self._spool.blocks():
            try:
                if self._spool.is_on_disk:
                    yield await asyncio.to_thread(self._spool.read, number)
                else:
                    yield self._spool.read(number)
            except OSError as error:
                raise Unavailable(f"the body cannot be read again: {error.strerror}") from None


class _Upload:
    """A body that is arriving: when its last bytes came, and whether it must give up its place."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.moved_at = self.began_at = boot_clock()
        self.given_up = asyncio.get_running_loop().create_future()

    @property
    def silent_s(self) -> float:
        return boot_clock() - self.moved_at

    def give_up(self) -> None:
        if not self.given_up.done():
            self.given_up.set_result(None)


class Uploads:
    """The bodies that arrive at one process; a large body is stored in `folder`, sealed."""

    def __init__(
        self, folder: Path, *, quick_s: float = QUICK_S, progress_s: float = PROGRESS_S_MAX
    ) -> None:
        self._folder = folder
        self._quick_s = quick_s
        self._progress_s = progress_s
        self._placed: set[_Upload] = set()

    @property
    def places(self) -> int:
        """Return the number of slow or large bodies that are arriving."""
        return len(self._placed)

    @asynccontextmanager
    async def take(self, receive: Any, account_id: str) -> AsyncIterator[UploadedBody]:
        """Receive a whole body, and yield it; the body is deleted when the context ends.

        Raises:
            InvalidRequest: the sender closed the connection before the end of the body.
            BodyStalled: too few bytes arrive.
            TooLarge: the body has more than `BODY_BYTES_MAX` bytes.
            Unavailable: too many bodies are arriving, or the disk is full.
        """
        with open_sealed_spool(self._folder) as spool:
            upload = _Upload(account_id)
            try:
                digest = await self._fill(spool, upload, receive)
            finally:
                self._placed.discard(upload)
            yield UploadedBody(spool, digest)

    async def _fill(self, spool: SealedSpool, upload: _Upload, receive: Any) -> bytes:
        digest = hashlib.sha256()
        window_size, until = 0, upload.began_at + self._progress_s
        more = True
        while more:
            message = await self._next(upload, receive, until)
            if message["type"] == "http.disconnect":
                raise InvalidRequest("the body was cut off; nothing was changed")
            chunk = message.get("body", b"")
            more = message.get("more_body", False)
            upload.moved_at = boot_clock()
            digest.update(chunk)
            spool.write(chunk)
            if spool.size > BODY_BYTES_MAX:
                raise TooLarge(f"the body has more than {BODY_BYTES_MAX} bytes")
            if spool.is_full:
                self._place(upload)
                await _flush(spool)
            if spool.size - window_size >= PROGRESS_BYTES_MIN:
                window_size, until = spool.size, boot_clock() + self._progress_s
        return digest.digest()

    async def _next(self, upload: _Upload, receive: Any, until: float) -> Any:
        """Return the next part of a body."""
        arriving = asyncio.ensure_future(receive())
        try:
            if upload not in self._placed:
                quick_s = upload.began_at + self._quick_s - boot_clock()
                await asyncio.wait([arriving], timeout=max(quick_s, 0.0))
                if not arriving.done():
                    self._place(upload)
            if not arriving.done():
                await asyncio.wait(
                    [arriving, upload.given_up],
                    timeout=max(until - boot_clock(), 0.0),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if boot_clock() > until or not (arriving.done() or upload.given_up.done()):
                raise BodyStalled("the body has stopped arriving; nothing was changed")
            if upload.given_up.done():
                text = "too many bodies are on their way, and this one was silent for longest"
                raise Unavailable(text)
            return arriving.result()
        finally:
            arriving.cancel()
            # An error's traceback holds this frame, the frame holds the task, and the task holds
            # the error: the connection would stay open until the next garbage collection.
            del arriving

    def _place(self, upload: _Upload) -> None:
        """Give a body a place; another body may have to give up its own."""
        if upload in self._placed:
            return
        own = [each for each in self._placed if each.account_id == upload.account_id]
        for placed, places_max in ((own, PLACES_OF_ACCOUNT_MAX), (self._placed, PLACES_MAX)):
            if len(placed) >= places_max:
                self._make_room(placed)
        self._placed.add(upload)

    def _make_room(self, placed: Collection[_Upload]) -> None:
        silent = max(placed, key=lambda each: each.silent_s)
        if silent.silent_s < self._quick_s:
            raise Unavailable("too many bodies are on their way; send this one later")
        silent.give_up()
        self._placed.discard(silent)


async def _flush(spool: SealedSpool) -> None:
    try:
        await asyncio.to_thread(spool.flush)
    except OSError as error:
        raise Unavailable(f"the body cannot be kept: {error.strerror}") from None
