"""Past sales as they are written: NDJSON and CSV, and what is wrong with a line of them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cache.token import Token
from checker.accounts.keys import AccountRole, Caller
from checker.domain.service import Lodging, ServiceType
from checker.errors import InvalidRequest
from checker.reconciliation.batches import (
    BATCH_BYTES,
    BATCH_LINES,
    BatchQueue,
    in_batches,
    unless_idle,
)
from checker.reconciliation.past_sale import (
    Line,
    PreparedSale,
    Rejected,
    SalesFormat,
    SalesReader,
    sale_lines,
)
from checker.text_encoding import utf8_chunks

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
NUMBER = "440882189001011230"
NAME = "陈示例"
CALLER = Caller(
    key_pk=1,
    account_id="1",
    name="x",
    role=AccountRole.INSTITUTION,
    services=frozenset({ServiceType.AIR, ServiceType.LODGING, ServiceType.INSURANCE}),
    jurisdiction=None,
)
SALE = {
    "subject": {"document": {"type": "resident_id", "number": NUMBER}, "name": NAME},
    "service": {"type": "air", "flight": "CZ3101"},
    "sold_at": "2026-11-23T09:00:00+08:00",
    "reference": "ORDER-1",
}
HEADER = "document_type,document_number,name,sold_at,service,flight,star_rating,reference"


async def chunks_of(*texts: str) -> AsyncIterator[bytes]:
    yield "\n".join(texts).encode()


async def read(form: SalesFormat, *texts: str) -> list[PreparedSale | Rejected]:
    reader = SalesReader(form, CALLER, NOW, lambda _document: Token(b""))
    lines = sale_lines(form, utf8_chunks(chunks_of(*texts)))
    await reader.open(lines)
    return [reader.read(number, line) async for number, line in lines]


async def read_one(sale: object) -> PreparedSale | Rejected:
    [one] = await read(SalesFormat.NDJSON, msgspec.json.encode(sale).decode())
    return one


async def test_a_line_of_ndjson_is_a_check_with_the_instant_of_the_sale() -> None:
    sale = await read_one(SALE)
    assert isinstance(sale, PreparedSale)
    assert (sale.line, sale.sold_at) == (1, datetime(2026, 11, 23, 1, tzinfo=UTC))
    assert (sale.check.document.number, sale.check.subject.name, sale.check.reference) == (
        NUMBER,
        NAME,
        "ORDER-1",
    )


async def test_a_row_of_csv_says_the_same_and_empty_cells_say_nothing() -> None:
    first, second = await read(
        SalesFormat.CSV,
        "\ufeff" + HEADER,
        f"resident_id,{NUMBER},{NAME},2026-11-23T09:00:00+08:00,air,CZ3101,,ORDER-1",
        f'resident_id,{NUMBER},,2026-11-22,lodging,,4,"a ""b"", c"',
    )
    assert isinstance(first, PreparedSale)
    assert first == msgspec.structs.replace(await read_one(SALE), line=2)  # type: ignore[arg-type]
    assert isinstance(second, PreparedSale)
    assert second.check.service == Lodging(star_rating=4)
    assert (second.check.subject.name, second.check.reference) == (None, 'a "b", c')
    assert second.sold_at == datetime(2026, 11, 21, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "code", "pointers"),
    [
        ({"sold_at": "2026-11-23T09:00:00"}, "invalid-request", ["/sold_at"]),
        ({"sold_at": "yesterday"}, "invalid-request", ["/sold_at"]),
        ({"sold_at": (NOW + timedelta(seconds=1)).isoformat()}, "invalid-request", ["/sold_at"]),
        ({"sold_at": "0001-01-01T00:00:00+14:00"}, "invalid-request", ["/sold_at"]),
        ({"sold_at": None}, "invalid-request", ["/sold_at"]),
        ({"receipt": True}, "invalid-request", ["/receipt"]),
        ({"service": {"type": "air"}}, "invalid-request", ["/service/flight"]),
        ({"service": {"type": "vehicle", "operating_necessity": True}}, "out-of-scope", []),
        ({"jurisdiction": "99"}, "invalid-request", ["/jurisdiction"]),
        (
            {"subject": {"document": {"type": "resident_id", "number": NUMBER[:-1] + "1"}}},
            "invalid-document",
            ["/subject/document/number"],
        ),
    ],
)
async def test_a_line_that_is_no_sale_tells_its_fields_and_never_what_stood_there(
    wrong: dict[str, object], code: str, pointers: list[str]
) -> None:
    rejected = await read_one(SALE | wrong)
    assert isinstance(rejected, Rejected)
    assert (rejected.code, [each.pointer for each in rejected.errors]) == (code, pointers)
    told = msgspec.json.encode(rejected).decode()
    assert NUMBER[:10] not in told
    assert NAME not in told


@pytest.mark.parametrize(
    "row",
    [
        f"resident_id,{NUMBER}",
        f'resident_id,{NUMBER},"{NAME}"x,2026-11-22,air,CZ3101,,',
        f"resident_id,{NUMBER},{NAME},2026-11-22,lodging,,four,",
        f"resident_id,{NUMBER},{NAME},2026-11-22,air,CZ3101,4,",
        f"resident_id,{NUMBER},{NAME},2026-11-22,,CZ3101,,",
        f"{NUMBER},resident_id,{NAME},2026-11-22,air,CZ3101,,",
        "x" * 20_000,
    ],
)
async def test_a_row_that_is_no_sale_spoils_nothing_else(row: str) -> None:
    good = f"resident_id,{NUMBER},,2026-11-22,air,CZ3101,,"
    before, rejected, after = await read(SalesFormat.CSV, HEADER, good, row, good)
    assert isinstance(before, PreparedSale)
    assert isinstance(after, PreparedSale)
    assert isinstance(rejected, Rejected)
    assert NUMBER not in msgspec.json.encode(rejected).decode()


async def test_a_cell_with_line_breaks_smuggles_in_no_sale() -> None:
    smuggled = f"resident_id,{NUMBER},,2026-11-22,air,CZ3101,,SMUGGLED"
    row = f'resident_id,{NUMBER},,2026-11-22,air,CZ3101,,"A-1\n{smuggled}"'
    sales = await read(SalesFormat.CSV, HEADER, row, row.replace("A-1", "A-2"))
    assert len(sales) == 2


@pytest.mark.parametrize(
    "header", ["", "name,name", "document_number,sold_on", NUMBER, '"name', "name\x00"]
)
async def test_a_header_that_is_none_is_refused_with_the_columns_that_are_known(
    header: str,
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await read(SalesFormat.CSV, header)
    told = str(refusal.value) + str(refusal.value.faults)
    assert "document_number" in told
    assert NUMBER not in told


async def numbered(*sizes: int) -> AsyncIterator[Line]:
    for number, size in enumerate(sizes, 1):
        yield number, bytes(size)


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ([], []),
        ([1], [1]),
        ([1] * BATCH_LINES, [BATCH_LINES]),
        ([1] * (BATCH_LINES + 1), [BATCH_LINES, 1]),
        ([BATCH_BYTES // 2] * 3, [2, 1]),
    ],
)
async def test_a_batch_is_bounded_in_lines_and_in_bytes(
    sizes: list[int], lengths: list[int]
) -> None:
    assert [len(each) async for each in in_batches(numbered(*sizes))] == lengths


async def test_who_sends_nothing_more_is_cut_off() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"1"
        await asyncio.Event().wait()

    chunks = unless_idle(stuck(), idle_s=0.001)
    assert await anext(chunks) == b"1"
    with pytest.raises(InvalidRequest):
        await anext(chunks)
    with pytest.raises(StopAsyncIteration):
        await anext(unless_idle(aiter_of()))


async def aiter_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_a_queue_gives_out_what_came_in_and_that_it_was_cut_off() -> None:
    async def cut() -> AsyncIterator[list[Line]]:
        yield [(1, b"")]
        raise InvalidRequest("cut off")

    queue = BatchQueue()
    with pytest.raises(InvalidRequest):
        await queue.fill(cut())
    given = queue.batches()
    assert await anext(given) == [(1, b"")]
    with pytest.raises(InvalidRequest):
        await anext(given)
