"""A form with a file is read in memory, and nothing that is sent breaks the reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.errors import InvalidRequest
from checker.web.manifests.upload import PARTS_MAX, fields_of_body

BOUNDARY = "x1"


def body_of(*parts: tuple[str, bytes]) -> bytes:
    text = b""
    for disposition, content in parts:
        text += f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
        text += content + b"\r\n"
    return text + f"--{BOUNDARY}--\r\n".encode()


def test_a_file_has_its_name_and_all_of_its_bytes() -> None:
    content = bytes(range(256)) * 300 + b"\r\n--x"
    body = body_of(('name="form_token"', b"t"), ('name="file"; filename="七月团.xlsx"', content))
    names, fields = fields_of_body(body, BOUNDARY)
    assert fields == {"form_token": b"t", "file": content}
    assert names["file"] == "七月团.xlsx"


def test_of_a_repeated_field_the_first_counts() -> None:
    body = body_of(('name="form_token"', b"a"), ('name="form_token"', b"b"))
    assert fields_of_body(body, BOUNDARY)[1] == {"form_token": b"a"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x1\r\n",
        body_of(('name="file"', b"x"))[:-8],
        body_of(*[('name="file"', b"x")] * (PARTS_MAX + 1)),
        b"--x1\r\nContent-Disposition: form-data; name=\xff\r\n\r\nx\r\n--x1--\r\n",
    ],
)
def test_a_form_that_cannot_be_read_is_the_fault_of_the_request(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        fields_of_body(body, BOUNDARY)


@given(st.lists(st.sampled_from([*b'-x1\r\n:;="%\\\xff', *b"Content-Disposition"]), max_size=80))
def test_random_bytes_are_a_form_or_the_fault_of_the_request(codes: list[int]) -> None:
    try:
        fields_of_body(b"--x1\r\n" + bytes(codes), BOUNDARY)
    except InvalidRequest:
        return
