"""Every parser of bytes that somebody else wrote, with the errors that it may raise.

The property tests and the fuzzer share this table. A parser gets bytes of any kind. It returns, or
raises one of `refusals`. No error repeats a number or a name, and no error has a cause that does.

`examples` are valid inputs of synthetic people: the property tests change them, and the fuzzer
begins with them. `words` are texts that lead the fuzzer into branches.
"""

import base64
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from checker.connector.errors import SourceFault
from checker.domain.errors import InvalidDocument
from checker.errors import CheckerError
from checker.formats.formats import LINE_FORMATS
from checker.receipts.errors import InvalidKeySet, InvalidReceipt
from checker.registry.entry import LineRejected
from checker.web.desk.reader_line import UnreadableLine
from tests.property.parsers import examples, readers
from tests.support.town import DEBTOR, MARKS, PASSPORT, TOWN
from tests.support.zones import td1, td3

RUN: Final = 6
"""A run of as many digits in an error is no bound of ours, but a part of the input."""

Read = Callable[[bytes], object]


class Parser(msgspec.Struct, frozen=True, kw_only=True):
    """One parser."""

    read: Read
    examples: tuple[bytes, ...]
    refusals: tuple[type[Exception], ...] = ()
    words: tuple[bytes, ...] = ()


def run(read: Callable[[bytes], Coroutine[Any, Any, object]]) -> Read:
    """Return an asynchronous parser as a plain one, which waits for nobody and needs no loop."""

    def read_at_once(data: bytes) -> object:
        steps = read(data)
        while True:
            try:
                steps.send(None)
            except StopIteration as end:
                return end.value

    return read_at_once


def hold(parser: Parser, data: bytes) -> None:
    """Fail if the parser raises another error than its own, or an error that repeats the input."""
    try:
        parser.read(data)
    except parser.refusals as error:
        shown = "".join(map(_shown, _logged_with(error)))
        found = {mark for mark in MARKS if mark in shown}
        found |= {run for run in _digit_runs(shown) if run.encode() in data}
        # The found texts are not shown: a log of tests repeats no number either.
        assert not found, f"an error repeats {len(found)} texts of its input"


def _logged_with(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors that a traceback shows above it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _shown(error: BaseException) -> str:
    return f"{error}{getattr(error, 'faults', '')}"


def _digit_runs(text: str) -> set[str]:
    runs = "".join(each if each.isdigit() else " " for each in text).split()
    return {each for each in runs if len(each) >= RUN}


async def chunks_of(data: bytes) -> AsyncIterator[bytes]:
    """Yield bytes in three chunks, as a sender may cut them."""
    third = len(data) // 3
    yield data[:third]
    yield data[third : 2 * third]
    yield data[2 * third :]


PARSERS: Final[dict[str, Parser]] = {
    "document": Parser(
        read=readers.read_document,
        examples=tuple(each for each in examples.DOCUMENTS if b"*" not in each),
        refusals=(InvalidDocument,),
    ),
    "masked_number": Parser(
        read=readers.read_mask, examples=examples.DOCUMENTS, refusals=(InvalidDocument,)
    ),
    "name": Parser(read=readers.read_name, examples=("陈示例（曾用名·陈另名）".encode(),)),
    "check": Parser(
        read=readers.read_check_body,
        examples=(examples.lines(examples.CHECK),),
        refusals=(CheckerError,),
    ),
    "batch": Parser(
        read=run(readers.read_batch),
        examples=(
            examples.lines({"checks": [examples.CHECK, examples.CHECK], "order": True}),
            examples.lines({"service": examples.RAIL, "subjects": [examples.SUBJECT] * 40}),
        ),
        refusals=(CheckerError,),
    ),
    **{
        f"line_{name}": Parser(
            read=readers.line_reader(found),
            examples=(found.example.strip(), *examples.LINES[name]),
            refusals=(LineRejected,),
        )
        for name, found in LINE_FORMATS.items()
    },
    "feed": Parser(
        read=run(lambda data: readers.read_feed(chunks_of(data))),
        examples=(examples.lines(*TOWN[:3]), examples.lines(*TOWN[:2]).decode().encode("gb18030")),
        refusals=(CheckerError,),
    ),
    "encoding": Parser(
        read=run(lambda data: readers.read_text(chunks_of(data))),
        examples=tuple(examples.SHEET.encode(each) for each in ("utf-8", "gb18030", "utf-16")),
        refusals=(CheckerError,),
        words=(b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x84\x31\x95\x33"),
    ),
    "csv_sheet": Parser(
        read=readers.read_any_sheet,
        examples=(examples.SHEET.encode(), examples.SHEET.replace(",", "\t").encode("gb18030")),
        refusals=(CheckerError,),
    ),
    "workbook": Parser(
        read=readers.read_any_sheet, examples=(readers.WORKBOOK,), refusals=(CheckerError,)
    ),
    "sheet_xml": Parser(
        read=readers.part_reader("xl/worksheets/sheet1.xml"),
        examples=(readers.part("xl/worksheets/sheet1.xml"),),
        refusals=(CheckerError,),
        words=(b"<c ", b"<row ", b' r="A1"', b' t="s"', b"<v>", b"</c>", b"</row>", b"<f/>"),
    ),
    "shared_strings": Parser(
        read=readers.part_reader("xl/sharedStrings.xml"),
        examples=(readers.part("xl/sharedStrings.xml"),),
        refusals=(CheckerError,),
        words=(b"<si>", b"</si>", b"<t>", b"<r>", b"&#x0;"),
    ),
    "workbook_xml": Parser(
        read=readers.part_reader("xl/workbook.xml"),
        examples=(readers.part("xl/workbook.xml"),),
        refusals=(CheckerError,),
        words=(b"<sheet ", b' name="', b' r:id="rId1"', b"<definedName"),
    ),
    "past_sales_csv": Parser(
        read=run(lambda data: readers.read_sales("csv", chunks_of(data))),
        examples=(examples.SALES.encode(),),
        refusals=(CheckerError,),
    ),
    "past_sales_ndjson": Parser(
        read=run(lambda data: readers.read_sales("ndjson", chunks_of(data))),
        examples=(
            examples.lines(
                {"subject": examples.SUBJECT, "service": examples.RAIL, "sold_at": "2026-11-01"}
            ),
        ),
        refusals=(CheckerError,),
    ),
    "reader_line": Parser(
        read=readers.read_reader_line,
        examples=(
            examples.CARD.encode(),
            "".join(td3(PASSPORT, issuer="D")).encode(),
            "".join(td1("H12345678")).encode(),
            DEBTOR.encode(),
        ),
        refusals=(UnreadableLine,),
    ),
    "sum": Parser(
        read=readers.read_sum, examples=tuple(map(str.encode, ("80000", "¥800.00", "6万元")))
    ),
    "key": Parser(read=readers.read_authorization, examples=(f"Bearer chk_{'a' * 43}".encode(),)),
    "receipt": Parser(
        read=readers.read_receipt, examples=(readers.RECEIPT,), refusals=(InvalidReceipt,)
    ),
    "key_set": Parser(
        read=readers.read_keys, examples=(readers.KEY_SET,), refusals=(InvalidKeySet,)
    ),
    "url": Parser(
        read=readers.read_endpoint,
        examples=(b"https://example.com:8443/a?b=c", "http://例.测试/".encode(), b"http://[::1]/"),
        refusals=(CheckerError,),
        words=(b"http://", b"xn--", b"@", b"%", b"[::", b"0x7f.1"),
    ),
    "source_url": Parser(
        read=readers.read_source_url,
        examples=(b"https://lists.example/all.ndjson", "http://例.测试/".encode()),
        refusals=(CheckerError,),
        words=(b"http://", b"xn--", b"@", b"%", b"[::"),
    ),
    "networks": Parser(
        read=readers.read_lines_as_networks,
        examples=(b"192.0.2.0/24\n2001:db8::/32",),
        refusals=(CheckerError,),
    ),
    "forwarded": Parser(
        read=readers.read_forwarded,
        examples=(b'for="[2001:db8::1]:4711";proto=https, for=10.0.0.1', b"192.0.2.1, 10.0.0.2"),
    ),
    "manifest": Parser(
        read=readers.read_followed,
        examples=(examples.lines(examples.FOLLOWED),),
        refusals=(SourceFault,),
    ),
}
"""The parsers by name; each has a file of the same name in `tests/property/parsers/corpus`."""

CORPUS: Final = Path(__file__).with_name("corpus")


def corpus_of(name: str) -> tuple[bytes, ...]:
    """Return the kept inputs of a parser: a line each, in base64."""
    lines = (CORPUS / f"{name}.txt").read_text(encoding="ascii").split()
    return tuple(map(base64.b64decode, lines))
