"""A process of its own that reads one sheet and writes it again, for a server that must not wait.

A sheet takes seconds of computing, and a hostile sheet may take all memory that there is. So a
server lets a process read each sheet. The process has a lower priority and bounds of its own, and
it gets no setting and no secret. `checker.sheets.sheet_reader` starts the process and asks it.

    server → process    SheetTask
    process → server    SheetLook or SheetRefusal; without a day asked, the end
    process → server    SheetRows     again and again, in turns
    server → process    the texts of these rows
    process → server    SheetWritten or SheetRefusal

Each message is MessagePack behind its length in four bytes. This file imports little, because a
person waits for its start.
"""

import os
import resource
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO, Final, TypeAlias

import msgspec

from checker.checks.turns import slices
from checker.errors import CheckerError
from checker.sheets.bounds import PAGE_BOUNDS
from checker.sheets.columns import FoundColumns, data_rows
from checker.sheets.files import read_sheet
from checker.sheets.header_words import RESULT_HEADERS
from checker.sheets.plan import SheetLayout, plan_sheet
from checker.sheets.refusals import SheetFault, SheetRefused, fault_of
from checker.sheets.rows import RowQuestion, read_rows

MEMORY_BYTES: Final = 1 << 30
CPU_S: Final = 60
"""20 000 rows take some seconds."""

PRIORITY: Final = 5
"""A check of a clerk goes before a sheet."""

ROWS_AT_ONCE: Final = 500
"""Rows between two steps of the progress. The server decodes their message in a millisecond."""

LENGTH_BYTES: Final = 4

RowTexts: TypeAlias = Mapping[int, tuple[str, str, str, str]]
"""The texts of the four columns, by row (`RowEnding.texts`)."""


class SheetTask(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet to read. `today` None: the process returns a look at the sheet alone."""

    content: bytes
    service: Mapping[str, Any] | None = None
    today: date | None = None


class SheetLook(msgspec.Struct, frozen=True, kw_only=True, tag="look"):
    """The columns of a sheet and the number of its people; of a run, also of its checks.

    `name` is that of the sheet in its workbook, `encoding` that of CSV.
    """

    name: str
    other_names: tuple[str, ...]
    encoding: str
    found: FoundColumns
    people: int
    checks: int = 0


class SheetRefusal(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The sheet is refused. `headers` are the headers at fault."""

    fault: SheetFault
    headers: tuple[str, ...] = ()


class SheetRows(msgspec.Struct, frozen=True, kw_only=True, tag="rows"):
    """The questions of some rows."""

    questions: Sequence[RowQuestion]


class SheetWritten(msgspec.Struct, frozen=True, kw_only=True, tag="written"):
    """The bytes of the sheet with its four columns."""

    content: bytes


encode = msgspec.msgpack.Encoder().encode
_task = msgspec.msgpack.Decoder(SheetTask).decode
_texts: msgspec.msgpack.Decoder[RowTexts] = msgspec.msgpack.Decoder(RowTexts)


def refusal_of(error: CheckerError) -> SheetRefusal:
    """Return the refusal by the error of a sheet or of its plan; other errors are raised again."""
    headers = error.headers if isinstance(error, SheetRefused) else ()
    return SheetRefusal(fault=fault_of(error), headers=headers)


def main() -> None:
    """Serve one sheet on the standard input and output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold the sheet
    os.nice(PRIORITY)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        _serve(asked, answers)
    except CheckerError as error:
        _send(answers, encode(refusal_of(error)))


def _serve(asked: BinaryIO, answers: BinaryIO) -> None:
    task = _task(_received(asked))
    sheet = read_sheet(task.content, PAGE_BOUNDS)
    people = len(data_rows(sheet.rows, sheet.found))
    questions: list[RowQuestion] = []
    if task.today is not None:
        plan = plan_sheet(sheet.found, SheetLayout.AUTO, task.service)
        questions = read_rows(sheet, plan, task.today, None)
    look = SheetLook(
        name=sheet.name,
        other_names=sheet.other_names,
        encoding=sheet.encoding,
        found=sheet.found,
        people=people,
        checks=sum(len(question.checks) for question in questions),
    )
    _send(answers, encode(look))
    if task.today is None:
        return
    texts: dict[int, tuple[str, str, str, str]] = {}
    for part in slices(questions, ROWS_AT_ONCE):
        _send(answers, encode(SheetRows(questions=part)))
        texts |= _texts.decode(_received(asked))
    content = sheet.write({sheet.found.header_row: RESULT_HEADERS, **texts})
    _send(answers, encode(SheetWritten(content=content)))


def _received(stream: BinaryIO) -> bytes:
    length = int.from_bytes(stream.read(LENGTH_BYTES))
    content = stream.read(length)
    if not length or len(content) < length:
        # The server has ended the work, or has ended itself.
        sys.exit(1)
    return content


def _send(stream: BinaryIO, message: bytes) -> None:
    stream.write(len(message).to_bytes(LENGTH_BYTES) + message)
    stream.flush()


if __name__ == "__main__":
    main()
