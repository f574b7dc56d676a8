"""Files in the encodings that courts and shops write become UTF-8, and others are refused."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import UnsupportedMediaType
from checker.text_encoding import SAMPLE_BYTES, encoding_of, utf8_chunks

LINES = '{"court": "雷州市人民法院", "name": "陈示例"}\n{"court": "广州市", "name": "䶮㐂"}\n'
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")


def whole(data: bytes, charset: str | None = None) -> str:
    found = encoding_of(data, charset)
    return data[len(found.mark) :].decode(found.codec)


def utf8(data: bytes, charset: str | None = None, *, size: int = SAMPLE_BYTES) -> bytes:
    async def cut() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    async def read() -> bytes:
        return b"".join([chunk async for chunk in utf8_chunks(cut(), charset)])

    return asyncio.run(read())


@pytest.mark.parametrize("size", [1, 7, SAMPLE_BYTES])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_is_read_in_the_encoding_in_which_it_was_written(encoding: str, size: int) -> None:
    data = LINES.encode(encoding)
    assert utf8(data, size=size).decode() == LINES
    assert whole(data) == LINES


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("UTF-8", "utf-8"),
        ("GBK", "gb18030"),
        ("gb2312", "gb18030"),
        ("GB18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
    ],
)
def test_a_declared_charset_is_honoured(charset: str, encoding: str) -> None:
    assert utf8(LINES.encode(encoding), charset, size=5).decode() == LINES
    assert whole(LINES.encode(encoding), charset) == LINES


def test_a_byte_order_mark_is_better_than_a_declared_charset() -> None:
    assert utf8(LINES.encode("utf-16"), "gbk").decode() == LINES


@pytest.mark.parametrize("charset", ["latin-1", "utf-7", "rot13", ""])
def test_an_unknown_charset_is_refused(charset: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        utf8(LINES.encode(), charset)


@pytest.mark.parametrize(
    "data",
    [
        LINES.encode("utf-16-le"),
        LINES.encode("utf-32"),
        b"\xff\xff\xff\xff\n",
        b"PK\x03\x04\x14\x00\xff\xff\x80\x00",
        b"\x1f\x8b\x08\x00\x80\xff",
    ],
    ids=["UTF-16 without a mark", "UTF-32", "junk", "zip", "gzip"],
)
def test_bytes_of_no_known_encoding_are_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(UnsupportedMediaType):
        utf8(data)
    with pytest.raises(UnsupportedMediaType):
        encoding_of(data)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_one_damaged_line_leaves_the_other_lines_as_they_are(encoding: str) -> None:
    first, second = LINES.encode(encoding).splitlines(keepends=True)
    found = utf8(first + b'{"name": "\xff"}\n' + second).splitlines(keepends=True)
    assert b"".join([found[0], found[2]]).decode() == LINES
    with pytest.raises(UnicodeDecodeError):
        found[1].decode()


def test_a_damaged_line_among_plain_ones_is_no_reason_to_refuse_the_file() -> None:
    assert utf8(b"[1]\n\xff\xff\n[2]\n").splitlines()[::2] == [b"[1]", b"[2]"]


def test_the_encoding_is_found_behind_any_number_of_ascii_lines() -> None:
    plain = b'{"op": "delist"}\n' * (SAMPLE_BYTES // 8)
    found = utf8(plain + LINES.encode("gb18030"), size=1000)
    assert found.decode() == plain.decode() + LINES


def test_nothing_is_held_back_beyond_the_sample() -> None:
    data = LINES.encode("gb18030") * 2_000
    held: list[int] = []

    async def read() -> None:
        sent = 0

        async def cut() -> AsyncIterator[bytes]:
            nonlocal sent
            for start in range(0, len(data), 1_000):
                sent += 1_000
                yield data[start : start + 1_000]

        held.extend([sent async for _ in utf8_chunks(cut())])

    asyncio.run(read())
    assert held[0] <= SAMPLE_BYTES + 1_000
    assert len(held) > (len(data) - SAMPLE_BYTES) // 1_000


@given(data=st.binary(max_size=200), size=st.integers(1, 50))
def test_any_bytes_are_read_or_refused(data: bytes, size: int) -> None:
    try:
        whole = utf8(data)
    except UnsupportedMediaType:
        return
    assert utf8(data, size=size) == whole


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\ufeff")))
def test_utf_8_is_always_read_as_utf_8(text: str) -> None:
    assert utf8(text.encode()).decode() == text
