"""How each parser is called with bytes alone: the rest of its arguments are the same each time."""

import io
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from cache.token import Tokenizer
from checker.accounts.keys import AccountRole, Caller, digest_of, key_of, looks_like_key
from checker.accounts.scope import read_networks
from checker.api.caller_address import TrustedProxies
from checker.api.url_keys import key_in_url
from checker.checks.batch_request import open_batch
from checker.checks.request import read_check
from checker.checks.turns import give_way
from checker.connector.manifest import read_manifest
from checker.connector.web_source import parse_url
from checker.domain.document import Document, DocumentType, lookup_key, normalize
from checker.domain.mask_reading import read_masked
from checker.domain.name import name_keys, names_agree, normalize_name
from checker.formats.feed_format import LineFormat, Reading
from checker.formats.lines import cut_lines, require_text
from checker.formats.operation import OPERATION
from checker.notices.endpoint import EndpointRules, read_url
from checker.receipts.signature import kid_of, public_key, read_key, read_key_set, sign
from checker.receipts.verification import verify_receipt
from checker.reconciliation.past_sale import SalesFormat, SalesReader, sale_lines
from checker.registry.entry import LineRejected
from checker.registry.sealing import Sealer
from checker.sheets.bounds import SheetBounds
from checker.sheets.checked_sheet import sheet_with_endings
from checker.sheets.files import read_sheet
from checker.text_encoding import utf8_chunks
from checker.vault import Vault
from checker.web.desk.reader_line import likely_fault, read_line
from checker.web.sums import fen_of

TODAY: Final = date(2026, 11, 30)
NOW: Final = datetime(2026, 11, 30, tzinfo=UTC)
SEALER: Final = Sealer(Tokenizer(bytes(range(32))), Vault(bytes(32)))
CALLER: Final = Caller(
    key_pk=1,
    account_id="1",
    name="x",
    role=AccountRole.INSTITUTION,
    services=None,
    jurisdiction=None,
)
READING: Final = Reading(
    today=TODAY, sent_on=TODAY, identify=str, measures=frozenset({"cn-2016-64/2.7.1"})
)
BOUNDS: Final = SheetBounds(
    file_bytes=1 << 20, unpacked_bytes=4 << 20, rows=1_000, columns=100, cells=10_000
)
"""Small ones, so that an input that passes a bound is found soon."""

_PROXIES: Final = TrustedProxies(["10.0.0.0/8", "2001:db8::/32"])


def text_of(data: bytes) -> str:
    """Return a text of any characters, without half surrogates: JSON and forms bring none."""
    return data.decode("utf-8", errors="replace")


def read_document(data: bytes) -> object:
    kind, number = _kind_and_number(data)
    document = normalize(Document(type=kind, number=number), TODAY)
    assert normalize(document, TODAY) == document
    return lookup_key(document)


def read_mask(data: bytes) -> object:
    kind, number = _kind_and_number(data)
    return read_masked(kind, number, TODAY)


def _kind_and_number(data: bytes) -> tuple[DocumentType, str]:
    kind, _, number = text_of(data).partition("\n")
    kinds = [*DocumentType]
    known = kind in kinds
    return DocumentType(kind) if known else kinds[len(data) % len(kinds)], number


def read_name(data: bytes) -> object:
    name = text_of(data)
    once = normalize_name(name)
    assert normalize_name(once) == once
    assert names_agree(name, name) is bool(name_keys(name))
    return once


def read_check_body(data: bytes) -> object:
    return read_check(data, CALLER, TODAY, SEALER.document_token)


async def read_batch(data: bytes) -> object:
    batch = await open_batch(data, CALLER, TODAY, SEALER)
    return await batch.read_all(give_way)


def line_reader(line_format: LineFormat) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        return line_format.read_line(require_text(data), READING)

    return read


async def read_feed(chunks: AsyncIterator[bytes]) -> int:
    """Read a body of changes as the intake does; return the number of rejected lines."""
    rejected = 0
    async for _number, line in cut_lines(utf8_chunks(chunks)):
        try:
            OPERATION.read_line(require_text(line), READING)
        except LineRejected:
            rejected += 1
    return rejected


async def read_text(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in utf8_chunks(chunks)])


def read_any_sheet(data: bytes) -> object:
    """Read a sheet and write it again, as a sheet without any verdict."""
    sheet = read_sheet(data, BOUNDS)
    return sheet_with_endings(sheet, {})


async def read_sales(form: str, chunks: AsyncIterator[bytes]) -> int:
    """Read past sales as a reconciliation does; return the number of lines."""
    lines = sale_lines(SalesFormat(form), utf8_chunks(chunks))
    reader = SalesReader(SalesFormat(form), CALLER, NOW, SEALER.document_token)
    await reader.open(lines)
    return len([reader.read(number, line) async for number, line in lines])


def read_reader_line(data: bytes) -> object:
    text = text_of(data)
    likely_fault(text, None)
    return read_line(text)


def read_sum(data: bytes) -> object:
    found = fen_of(text_of(data))
    assert found is None or found >= 0
    return found


def read_authorization(data: bytes) -> object:
    """Read a header, and a query that may hold a key."""
    header = data.decode("latin-1")
    key_in_url(header, data, has_header=False)
    return looks_like_key(header), digest_of(key_of(header) or "")


def read_receipt(data: bytes) -> object:
    return verify_receipt(data.decode("latin-1"), {_KID: _KEY})


def read_keys(data: bytes) -> object:
    return read_key_set(data)


def read_endpoint(data: bytes) -> object:
    return read_url(text_of(data), EndpointRules(allow_http=True))


def read_source_url(data: bytes) -> object:
    return parse_url(text_of(data))


def read_lines_as_networks(data: bytes) -> object:
    return read_networks(text_of(data).split("\n"))


def read_forwarded(data: bytes) -> object:
    headers = [(b"forwarded", data)]
    return (
        _PROXIES.behind("10.0.0.1", headers),
        _PROXIES.behind("10.0.0.1", [(b"x-forwarded-for", data)]),
    )


def read_followed(data: bytes) -> object:
    return read_manifest(data)


# A key of the tests alone, so that the kept receipt stays genuine.
_KEY: Final = read_key(
    '{"crv": "Ed25519", "kty": "OKP", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",'
    ' "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
)
_KID: Final = kid_of(_KEY)
_CLAIMS: Final = (
    b'{"jti": "1", "iat": 1, "iss": "checker", "aud": "2", "decision": "deny", "measures": ["m"],'
    b' "list_version": 3, "service": "rail", "subject": "s"}'
)
RECEIPT: Final = sign(_CLAIMS, _KEY, _KID).encode()
KEY_SET: Final = msgspec.json.encode({"keys": [public_key(_KEY)]})

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_NUMBER: Final = "440882189001011230"
_PARTS: Final[dict[str, str]] = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
    f' Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheets>'
    '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELATED}/sharedStrings" Target="sharedStrings.xml"/>'
    "</Relationships>",
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><dimension ref="A1:B3"/><sheetData>'
    '<row r="1" spans="1:2"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>航班</t>'
    f'</is></c></row><row r="2"><c r="A2" t="str"><f>"x"</f><v>{_NUMBER}</v></c><c r="B2"><f>1/0'
    '</f></c></row><row r="3"><c r="A3" s="1"><v>1.5E3</v></c><c r="B3" t="e"><v>#N/A</v></c></row>'
    '</sheetData><mergeCells count="1"><mergeCell ref="A3:B3"/></mergeCells></worksheet>',
    "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}" count="1" uniqueCount="1">'
    "<si><t>证件号码</t></si><si><r><t>a</t></r></si></sst>",
}


def part(name: str) -> bytes:
    """Return a part of the workbook."""
    return _PARTS[name].encode()


def _packed(replaced: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in _PARTS:
            archive.writestr(zipfile.ZipInfo(name), replaced.get(name, part(name)))
    return target.getvalue()


WORKBOOK: Final = _packed({})


def part_reader(name: str) -> Callable[[bytes], Any]:
    """Return a parser of one part, within a workbook whose other parts are in order."""
    return lambda data: read_any_sheet(_packed({name: data}))
