"""The name of a file that comes back holds nothing but a name."""

import pytest

from checker.web.manifests.file_names import CSV, XLSX, checked_name, disposition_of, media_type_of


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("七月团.xlsx", b"PK\x03", "七月团-checked.xlsx"),
        ("七月团.html", b"a,b", "七月团-checked.csv"),
        ("C:\\团\\七月.CSV", b"a,b", "七月-checked.csv"),
        ("../../etc/passwd", b"a,b", "passwd-checked.csv"),
        ("<img src=x>.csv", b"a,b", "img src=x-checked.csv"),
        ("a\r\nset-cookie: b.csv", b"a,b", "a set-cookie  b-checked.csv"),
        ("\u202excod.csv", b"a,b", "xcod-checked.csv"),
        (".csv", b"a,b", "csv-checked.csv"),
        (" . ", b"a,b", "sheet-checked.csv"),
        ("长" * 200 + ".csv", b"a,b", "长" * 80 + "-checked.csv"),
    ],
)
def test_a_name_keeps_its_stem_and_gets_the_ending_of_its_content(
    name: str, content: bytes, expected: str
) -> None:
    assert checked_name(name, content) == expected


def test_the_header_of_a_download_is_plain_ascii() -> None:
    header = disposition_of('团"; x=y\r\n.csv')
    assert header.isascii()
    assert not {"\r", "\n", '"'} & set(header)
    assert header.count(";") == 1


def test_the_media_type_is_that_of_the_content() -> None:
    assert (media_type_of(b"PK\x03"), media_type_of(b"a,b")) == (XLSX, CSV)
