"""A known head is compared byte by byte, and its requests end where their bodies end."""

from hypothesis import given
from hypothesis import strategies as st

from checker.api.exchange import CHECK_BYTES_MAX
from checker.serving.known_head import KnownHead

BODY = b'{"subject":{}}'
DIGEST, ADDRESS = b"d" * 32, "127.0.0.1"


def request(body: bytes, *, length: str | None = None, more: str = "") -> bytes:
    first = f"POST /v1/checks HTTP/1.1\r\nHost: a\r\nContent-Length: {length or len(body)}\r\n"
    return f"{first}{more}\r\n".encode() + body


def known(data: bytes = request(BODY)) -> KnownHead | None:
    return KnownHead.of(data, DIGEST, ADDRESS)


def test_another_body_of_another_length_is_found_behind_a_known_head() -> None:
    head = known()
    assert head is not None
    assert (head.digest, head.address) == (DIGEST, ADDRESS)
    for body in (b"", b"{}", BODY * 100, b"\r\n\r\n", b"x" * CHECK_BYTES_MAX):
        assert head.body_in(request(body)) == body


def test_a_read_that_is_not_one_whole_request_with_the_same_head_is_left_to_the_parser() -> None:
    head = known()
    assert head is not None
    whole = request(BODY)
    others = {
        "a part": whole[:-1],
        "more": whole + b"P",
        "two requests": whole + whole,
        "another header": request(BODY, more="X-Request-ID: a\r\n"),
        "another case": whole.replace(b"Host", b"host"),
        "another method": whole.replace(b"POST", b"PUT "),
        "a sign": request(BODY, length=f"+{len(BODY)}"),
        "a space behind": request(BODY, length=f"{len(BODY)} "),
        "no length": request(BODY, length=" "),
        "a list": request(BODY, length=f"{len(BODY)},{len(BODY)}"),
        "too large": request(b"x" * (CHECK_BYTES_MAX + 1)),
        "too many digits": request(BODY, length=f"{len(BODY):06}"),
        "nothing": b"",
        "the head alone": whole[: -len(BODY)],
    }
    assert {name for name, data in others.items() if head.body_in(data) is not None} == set()


def test_a_head_without_a_length_or_without_its_whole_body_is_not_kept() -> None:
    chunked = b"POST /v1/checks HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    for data in (chunked, request(BODY)[:-1], request(BODY) * 2, b"", b"POST / HTTP/1.1\r\n"):
        assert known(data) is None


@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(0, 200))
def test_the_body_found_is_always_all_that_stands_behind_the_same_head(
    body: bytes, put_in: bytes, at: int
) -> None:
    head = known()
    assert head is not None
    whole = request(body)
    changed = whole[:at] + put_in + whole[at:]
    found = head.body_in(changed)
    if found is not None:
        assert changed.endswith(found)
        assert int(changed.split(b"Content-Length: ")[1].split(b"\r")[0]) == len(found)
