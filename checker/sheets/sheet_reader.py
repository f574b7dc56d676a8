"""Lets processes of their own read sheets, few at once (`checker.sheets.sheet_process`)."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from checker.checks.turns import BatchGate, GateBounds
from checker.errors import Unavailable
from checker.sheets.refusals import SheetFault
from checker.sheets.rows import RowQuestion
from checker.sheets.sheet_process import (
    LENGTH_BYTES,
    RowTexts,
    SheetLook,
    SheetRefusal,
    SheetRows,
    SheetTask,
    SheetWritten,
    encode,
)

ANSWER_S: Final = 50.0
"""The longest wait for one answer: the largest sheet takes 20 s on a machine that is busy."""

PROCESSES: Final = GateBounds(
    inside=2,  # of one worker, up to 1 GiB each
    inside_of_account=1,
    waiting=8,  # each holds a sheet of up to 4 MiB
    waiting_of_account=4,
    retry_after_s=10,
)

_Message: TypeAlias = SheetLook | SheetRows | SheetWritten | SheetRefusal
_decoder: msgspec.msgpack.Decoder[_Message] = msgspec.msgpack.Decoder(_Message)
_T = TypeVar("_T", SheetLook, SheetRows, SheetWritten)


class UnreadSheet(Exception):
    """The sheet is refused, or its process has ended because the sheet was too much for it."""

    def __init__(self, refusal: SheetRefusal) -> None:
        super().__init__(refusal.fault)
        self.refusal = refusal


class OpenSheet:
    """A sheet in its process: the rows to check, and then the sheet with their texts."""

    def __init__(self, process: Process, look: SheetLook) -> None:
        self._process = process
        self.look = look

    async def questions(self) -> AsyncIterator[list[RowQuestion]]:
        """Yield the rows in parts. Call `end` for a part before the next part."""
        left = self.look.people
        while left:
            rows = await _answer(self._process, SheetRows)
            left -= len(rows.questions)
            yield list(rows.questions)

    async def end(self, texts: RowTexts) -> None:
        """Hand over the texts of the rows that were yielded last."""
        await _ask(self._process, encode(texts))

    async def content(self) -> bytes:
        """Return the file with all texts, after the last rows have ended."""
        return (await _answer(self._process, SheetWritten)).content


class SheetReader:
    """Reads the sheets of one worker. Methods raise UnreadSheet, and those of the bounds:

    QuotaExceeded, Unavailable: too many sheets are being read.
    """

    def __init__(self, bounds: GateBounds = PROCESSES) -> None:
        self._gate = BatchGate(bounds)

    async def look(self, account_id: str, content: bytes) -> SheetLook:
        """Return the columns of a sheet."""
        async with self._gate.passed(account_id), _process() as process:
            await _ask(process, encode(SheetTask(content=content)))
            return await _answer(process, SheetLook)

    @asynccontextmanager
    async def opened(
        self, account_id: str, content: bytes, service: Mapping[str, Any] | None, today: date
    ) -> AsyncIterator[OpenSheet]:
        """Yield a sheet that is open until the block ends."""
        task = SheetTask(content=content, service=service, today=today)
        async with self._gate.passed(account_id), _process() as process:
            await _ask(process, encode(task))
            yield OpenSheet(process, await _answer(process, SheetLook))


@asynccontextmanager
async def _process() -> AsyncIterator[Process]:
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            "checker.sheets.sheet_process",
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,  # an error may quote the sheet
            env={},
        )
    except OSError as error:
        raise Unavailable(f"no process can be started: {error.strerror}") from None
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ask(process: Process, message: bytes) -> None:
    assert process.stdin is not None, "it is a pipe"
    try:
        async with asyncio.timeout(ANSWER_S):
            process.stdin.write(len(message).to_bytes(LENGTH_BYTES) + message)
            await process.stdin.drain()
    except (OSError, TimeoutError):
        raise _too_much() from None


async def _answer(process: Process, expected: type[_T]) -> _T:
    assert process.stdout is not None, "it is a pipe"
    try:
        async with asyncio.timeout(ANSWER_S):
            length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
            message = _decoder.decode(await process.stdout.readexactly(length))
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        raise _too_much() from None
    if isinstance(message, SheetRefusal):
        raise UnreadSheet(message)
    assert isinstance(message, expected), "the process keeps to the order of messages"
    return message


def _too_much() -> UnreadSheet:
    return UnreadSheet(SheetRefusal(fault=SheetFault.TOO_LARGE))
