"""Turns the bytes of a file into UTF-8, whatever encoding the file was written in.

The encoding is the first of these that applies:

| sign                                           | encoding                                       |
|------------------------------------------------|------------------------------------------------|
| a byte order mark                              | UTF-8, UTF-16 or GB18030                       |
| a declared `charset`                           | the declared one; 415 for an unknown one       |
| a zero among the first bytes                   | none: 415 (UTF-16 without a mark, a binary)    |
| half of the lines that are not ASCII are UTF-8 | UTF-8                                          |
| half of these lines are GB18030                | GB18030, which contains GBK and GB2312         |
| half of all lines are UTF-8                    | UTF-8                                          |
| none of them                                   | none: 415                                      |

UTF-8 is tried first, because Chinese text in GB18030 is not valid UTF-8 beyond a few characters. A
stream is judged by `SAMPLE_BYTES` from the first byte that is not ASCII.

Foreign bytes are bytes that the encoding does not have. A line with foreign bytes leaves
`utf8_chunks` as a line that is not UTF-8. So the reader of lines rejects this line, and the other
lines stand.
"""

import codecs
from collections.abc import AsyncIterable, AsyncIterator, Callable
from itertools import islice
from typing import Final, NamedTuple

from checker.errors import UnsupportedMediaType

SAMPLE_BYTES: Final = 64 << 10
"""Some hundred lines. More bytes would delay the first line of a slow sender."""

JUDGED_LINES_MAX: Final = 1_000
"""More lines would not change the result, and a chunk of any size is judged in milliseconds."""

_UTF_8: Final = "utf-8"
_GB18030: Final = "gb18030"
_CODECS: Final = {
    "utf-8": _UTF_8,
    "utf8": _UTF_8,
    "us-ascii": _UTF_8,
    "ascii": _UTF_8,
    "gb18030": _GB18030,
    "gbk": _GB18030,
    "gb2312": _GB18030,
    "cp936": _GB18030,
    "ms936": _GB18030,
    "windows-936": _GB18030,
    "x-gbk": _GB18030,
    "utf-16": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""The encodings by their names in lower case, as in the WHATWG Encoding Standard."""

_UTF_32_MARKS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_MARKS: Final = {
    codecs.BOM_UTF8: _UTF_8,
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    "\ufeff".encode(_GB18030): _GB18030,
}
_MARK_BYTES_MAX: Final = 4

_KEEP_FOREIGN: Final = "checker.keep-foreign"
_FOREIGN: Final = "\udcff"
"""`surrogateescape` encodes this character as the byte 0xFF, which no UTF-8 text has."""


def _keep_foreign(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError), "the handler is used for decoding alone"
    return _FOREIGN, error.end


codecs.register_error(_KEEP_FOREIGN, _keep_foreign)


class Utf8Text:
    """A file in UTF-8 that can be read again: each iteration starts anew. Raises as `utf8_chunks`.

    `read` opens the file in its own encoding.
    """

    def __init__(
        self, read: Callable[[], AsyncIterable[bytes]], charset: str | None = None
    ) -> None:
        self._read = read
        self._charset = charset

    def __aiter__(self) -> AsyncIterator[bytes]:
        return utf8_chunks(self._read(), self._charset)


def utf8_chunks(chunks: AsyncIterable[bytes], charset: str | None = None) -> AsyncIterator[bytes]:
    """Return a file in UTF-8 without its byte order mark; `charset` is declared by the sender.

    Raises:
        UnsupportedMediaType: the charset is not known; or, while the file is read, its encoding.
    """
    return _decoded(chunks, _declared_codec(charset))


async def _decoded(chunks: AsyncIterable[bytes], declared: str | None) -> AsyncIterator[bytes]:
    decode: _Utf8Decoder | None = None
    held = bytearray()
    has_begun, ascii_lines = False, 0
    async for chunk in chunks:
        if decode is not None:
            yield decode(chunk)
            continue
        held += chunk
        if len(held) < _MARK_BYTES_MAX:
            continue
        codec = None if has_begun else _codec_by_beginning(held, declared)
        has_begun = True
        if codec is None and held.isascii():
            ascii_lines += held.count(b"\n")
            yield bytes(held)
            held.clear()
        elif codec is not None or len(held) >= SAMPLE_BYTES:
            sample = bytes(held)
            decode = _Utf8Decoder(codec or _codec_by_lines(sample, ascii_lines, is_whole=False))
            yield decode(sample)
    if decode is None:
        codec = None if has_begun else _codec_by_beginning(held, declared)
        decode = _Utf8Decoder(codec or _codec_by_lines(bytes(held), ascii_lines, is_whole=True))
        yield decode(bytes(held))
    yield decode(b"", is_end=True)


class TextEncoding(NamedTuple):
    """The encoding of a whole file, by its Python name, and the byte order mark in front of it."""

    codec: str
    mark: bytes


def encoding_of(data: bytes, charset: str | None = None) -> TextEncoding:
    """Return the encoding of a whole file; `charset` is declared by the sender.

    Raises:
        UnsupportedMediaType: the encoding is not known.
    """
    codec = _codec_by_beginning(data, _declared_codec(charset))
    codec = codec or _codec_by_lines(data, 0, is_whole=True)
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    return TextEncoding(codec, mark)


class _Utf8Decoder:
    """Turns chunks of one encoding into UTF-8. Only the first chunk may begin with a mark."""

    def __init__(self, codec: str) -> None:
        self._decoder = codecs.getincrementaldecoder(codec)(_KEEP_FOREIGN)
        # The reader of lines finds foreign bytes in UTF-8 itself.
        self._passes_on = codec == _UTF_8
        self._is_first = True

    def __call__(self, chunk: bytes, *, is_end: bool = False) -> bytes:
        if not self._passes_on:
            text = self._decoder.decode(chunk, is_end)
            chunk = text.encode(errors="surrogateescape")
        if self._is_first:
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
            self._is_first = False
        return chunk


def _declared_codec(charset: str | None) -> str | None:
    if charset is None:
        return None
    codec = _CODECS.get(charset.strip().lower())
    if codec is None:
        raise UnsupportedMediaType(f"the charset is not read here; {_ADVICE}")
    return codec


def _codec_by_beginning(data: bytes | bytearray, declared: str | None) -> str | None:
    """Return the encoding that the mark or the sender names, or None."""
    if data.startswith(_UTF_32_MARKS):
        raise UnsupportedMediaType(f"the text is in UTF-32; {_ADVICE}")
    for mark, codec in _MARKS.items():
        if data.startswith(mark):
            return codec
    if declared is None and b"\0" in data[:_MARK_BYTES_MAX]:
        raise UnsupportedMediaType(f"the body is no text, or UTF-16 without a mark; {_ADVICE}")
    return declared


def _codec_by_lines(sample: bytes, ascii_lines: int, *, is_whole: bool) -> str:
    """Return the encoding of most lines; `ascii_lines` were seen before the sample."""
    lines = sample.split(b"\n")
    if not is_whole and len(lines) > 1:
        lines.pop()
    foreign = [*islice((line for line in lines if not line.isascii()), JUDGED_LINES_MAX)]
    in_utf_8 = sum(_is_in(line, _UTF_8, is_whole=is_whole) for line in foreign)
    if in_utf_8 * 2 >= len(foreign):
        return _UTF_8
    in_gb18030 = sum(_is_in(line, _GB18030, is_whole=is_whole) for line in foreign)
    if in_gb18030 * 2 >= len(foreign):
        return _GB18030
    if (len(foreign) - in_utf_8) * 2 <= sum(map(bool, lines)) + ascii_lines:
        return _UTF_8
    raise UnsupportedMediaType(f"the encoding of the text cannot be found out; {_ADVICE}")


def _is_in(line: bytes, codec: str, *, is_whole: bool) -> bool:
    """Return whether a line is text of an encoding. The last character may be cut in a sample."""
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(line, is_whole)
    except UnicodeDecodeError:
        return False
    return True


_ADVICE: Final = "send UTF-8, GB18030, GBK, GB2312 or UTF-16, and name it as the charset"
