"""A process of its own reads a sheet, within its bounds, and writes the sheet again."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from checker.errors import QuotaExceeded
from checker.sheets import sheet_process
from checker.sheets.endings import RowEnding
from checker.sheets.refusals import SheetFault
from checker.sheets.rows import RowQuestion
from checker.sheets.sheet_process import SheetTask, encode
from checker.sheets.sheet_reader import SheetReader, UnreadSheet
from tests.support.sheets import TODAY, cells_of, csv_of, workbook_of
from tests.support.town import DEBTOR, INNOCENT

HEADER = ["姓名", "身份证号", "车次", "席别"]
ROW = ["陈示例", DEBTOR, "G79", "二等座"]
_T = TypeVar("_T")


def by_reader(ask: Callable[[SheetReader], Awaitable[_T]]) -> _T:
    async def asked() -> _T:
        return await ask(SheetReader())

    return asyncio.run(asked())


def test_a_look_names_the_columns_and_counts_the_people() -> None:
    content = csv_of([HEADER, ROW, [], ROW], encoding="gbk")
    look = by_reader(lambda reader: reader.look("1", content))
    assert [column.header for column in look.found.columns] == HEADER
    assert (look.people, look.encoding) == (2, "gb18030")


def test_the_rows_come_in_parts_and_the_sheet_comes_back_with_their_texts() -> None:
    count = sheet_process.ROWS_AT_ONCE + 3
    content = workbook_of([HEADER, *[[*ROW[:1], INNOCENT, *ROW[2:]]] * count])

    async def run(reader: SheetReader) -> tuple[list[int], bytes]:
        parts: list[list[RowQuestion]] = []
        async with reader.opened("1", content, None, TODAY) as sheet:
            assert (sheet.look.people, sheet.look.checks) == (count, count)
            async for part in sheet.questions():
                parts.append(part)
                texts = RowEnding(decision="allow").texts
                await sheet.end({question.row: texts for question in part})
            return [len(part) for part in parts], await sheet.content()

    sizes, returned = by_reader(run)
    assert sizes == [sheet_process.ROWS_AT_ONCE, 3]
    decisions = [row[4] for row in cells_of(returned)]
    assert decisions == ["decision", *["allow"] * count]


def test_a_refusal_names_its_fault_and_headers() -> None:
    content = csv_of([["身份证号", "身份证号码", "车次"], [DEBTOR, DEBTOR, "G79"]])

    async def run(reader: SheetReader) -> None:
        async with reader.opened("1", content, None, TODAY):
            raise AssertionError("two columns mean the same")

    with pytest.raises(UnreadSheet) as caught:
        by_reader(run)
    assert caught.value.refusal.fault is SheetFault.TWICE
    assert caught.value.refusal.headers == ("身份证号", "身份证号码")


def test_a_process_that_ends_too_early_means_that_the_sheet_was_too_much() -> None:
    async def run(reader: SheetReader) -> None:
        async with reader.opened("1", csv_of([HEADER, ROW]), None, TODAY) as sheet:
            sheet._process.kill()
            await sheet._process.wait()
            await sheet.end({})
            await sheet.content()

    with pytest.raises(UnreadSheet) as caught:
        by_reader(run)
    assert caught.value.refusal.fault is SheetFault.TOO_LARGE


def test_one_account_cannot_make_sheets_wait_without_end() -> None:
    async def run(reader: SheetReader) -> list[object]:
        looks = [reader.look("1", csv_of([HEADER, ROW])) for _ in range(6)]
        return [*await asyncio.gather(*looks, return_exceptions=True)]

    ends = by_reader(run)
    assert [type(end) for end in ends].count(QuotaExceeded) == 1


def test_a_message_cut_short_ends_the_process() -> None:
    async def run() -> int:
        process = await asyncio.create_subprocess_exec(
            *sheet_process_command(), stdin=asyncio.subprocess.PIPE, env={}
        )
        whole = encode(SheetTask(content=csv_of([HEADER, ROW])))
        await process.communicate(len(whole).to_bytes(4) + whole[:-1])
        return await process.wait()

    assert asyncio.run(run()) == 1


def sheet_process_command() -> tuple[str, ...]:
    return sys.executable, "-I", "-m", sheet_process.__name__
