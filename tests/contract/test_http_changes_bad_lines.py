"""The feed of changes refuses a bad line by a clear code, and nothing else is harmed."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psutil
import pytest

from tests.support.asking import problem
from tests.support.changing import CHANGES, Court, Stranger, outcome
from tests.support.running_service import PATIENCE_S, RunningService
from tests.support.town import DEBTOR, DEBTOR_NAME, Line, document, ndjson

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

PERIOD = {"valid_from": "2026-12-01", "valid_until": "2027-01-01"}
KEPT = {"measures": ["cn-2016-64/2.7.1"], "basis": "（2016）粤0882执1号之一"}
CHUNK = b" " * (1 << 20)
ENDLESS_CHUNKS = 96
GROWTH_MAX = 48 << 20
SLICES_SURELY = 300
"""So many pairs of lines are written in more than one piece."""


def about(op: str, listing_id: str = "1", **more: Any) -> Line:
    return {"op": op, "listing_id": listing_id, **more}


def permit(**more: Any) -> Line:
    fields = {
        "id": "bad permit",
        "document": document(DEBTOR),
        "services": ["air"],
        "court": "雷州市人民法院",
        "ground": "就医",
    }
    return {"op": "permit", "permit": fields | PERIOD | more}


BAD_LINES: dict[str, tuple[Line | str, str]] = {
    "no JSON": ('{"op": "shield"', "invalid-json"),
    "no operation": ({"listing_id": "1"}, "invalid-operation"),
    "an operation nobody knows": (about("erase"), "invalid-operation"),
    "a field nobody knows": (about("shield", reason="x"), "invalid-operation"),
    "a listing nobody knows": (about("shield", "nobody's"), "unknown-listing"),
    "a delisting of a listing nobody knows": (
        about("delist", "nobody's", ground="settled"),
        "unknown-listing",
    ),
    "a delisting without ground": (about("delist"), "invalid-operation"),
    "a ground nobody knows": (about("delist", ground="forgiven"), "invalid-operation"),
    "an officer without role": (
        about("officers", "2", officers=[{"name": "某", "documents": []}]),
        "invalid-operation",
    ),
    "an officer who is the debtor": (
        about("officers", "2", officers=[{"role": "debtor", "name": "某", "documents": []}]),
        "invalid-operation",
    ),
    "officers of a person": (
        about("officers", officers=[{"role": "principal", "name": "某", "documents": []}]),
        "invalid-operation",
    ),
    "a retention without end": (about("retain", **KEPT), "invalid-operation"),
    "a retention of a measure nobody knows": (
        about("retain", until="2099-01-01", basis="x", measures=["cn-2016-64/9.9"]),
        "unknown-measure",
    ),
    "a fulfilment to come": (about("fulfil", on="2999-01-01"), "in-the-future"),
    "a day that never was": (about("fulfil", on="2026-02-30"), "invalid-operation"),
    "a permit that ends before it starts": (
        permit(valid_from="2027-01-01", valid_until="2026-12-01"),
        "ends-before-it-starts",
    ),
    "a permit of an instant without offset": (
        permit(valid_from="2026-12-01T00:00:00"),
        "invalid-operation",
    ),
    "a permit for no use": (permit(uses=0), "invalid-operation"),
    "a permit for no service": (permit(services=[]), "invalid-operation"),
    "a permit for a service nobody knows": (permit(services=["boat"]), "invalid-operation"),
    "a permit of a number that is none": (
        permit(document=document(DEBTOR[:-1] + "9")),
        "invalid-document",
    ),
    "a permit nobody knows": ({"op": "withdraw_permit", "permit_id": "none"}, "unknown-permit"),
    "a binding of one document": (
        {"op": "bind", "documents": [document(DEBTOR)]},
        "invalid-operation",
    ),
    "a person bound to a company": (
        {"op": "bind", "documents": [document(DEBTOR), document("MA4UX001X", "org_code")]},
        "invalid-operation",
    ),
    "a listing with a field nobody knows": (
        {"op": "list", "listing": {"id": "x", DEBTOR: DEBTOR_NAME}},
        "invalid-listing",
    ),
    "a line over 1 MiB": (" " * (1 << 20) + '{"op": "shield", "listing_id": "1"}', "line-too-long"),
}


@pytest.fixture(scope="module")
def says(court: httpx.Client) -> Court:
    return Court(court)


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_line_that_cannot_stand_is_told_and_the_others_stand(
    institution: httpx.Client, says: Court, case: str
) -> None:
    line, code = BAD_LINES[case]
    before, after = Stranger(), Stranger()
    assert says.rejections(before.listed(), line, after.listed()) == [(2, code)]
    assert [outcome(institution, each.number) for each in (before, after)] == ["deny", "deny"]
    assert outcome(institution, DEBTOR) == "deny"


def test_an_id_of_another_courts_listing_is_not_taken_over(
    institution: httpx.Client, says: Court
) -> None:
    owner, other = Stranger(), Stranger()
    says.do(owner.listed())
    clash = {"op": "list", "listing": other.listing(id=owner.listing_id, court="湛江市人民法院")}
    assert says.rejections(clash) == [(1, "id-taken")]
    assert outcome(institution, owner.number) == "deny"
    assert outcome(institution, other.number) == "allow"


def test_an_id_of_another_permit_is_not_taken_over(institution: httpx.Client, says: Court) -> None:
    owner, other = Stranger(), Stranger()
    says.do(owner.listed(), other.listed(), owner.permit("P"))
    clash = other.permit("P", id=f"P-{owner.sequence}")
    assert says.rejections(clash) == [(1, "id-taken")]
    assert [outcome(institution, each.number) for each in (owner, other)] == ["allow", "deny"]


def test_what_has_ended_cannot_be_shielded(says: Court) -> None:
    somebody = Stranger()
    says.do(somebody.listed(), somebody.about("delist", ground="settled"))
    assert says.rejections(somebody.about("shield")) == [(1, "listing-ended")]


@pytest.mark.parametrize("query", ["strct=true", "strict=yes", "format=zxgk"])
def test_a_parameter_that_is_none_is_refused(court: httpx.Client, query: str) -> None:
    told = problem(court.post(f"{CHANGES}?{query}", content=b""), 400, "invalid-request")
    assert told["errors"]


def test_a_strict_feed_has_a_bound(court: httpx.Client) -> None:
    line = ndjson([about("shield", "nobody's")])
    problem(court.post(f"{CHANGES}?strict=true", content=line * 10_001), 413, "too-large")


CUTS: dict[str, Callable[[bytes], tuple[str, bytes]]] = {
    "in a line": lambda body: (f"content-length: {len(body)}", body[:-30]),
    "before the end of a line": lambda body: (f"content-length: {len(body)}", body.rstrip()),
    "after a line": lambda body: (f"content-length: {len(body) + 1}", body),
    "no last chunk": lambda body: (
        "transfer-encoding: chunked",
        b"%x\r\n%b\r\n" % (len(body), body),
    ),
}
"""Of a body of a few lines: how its length is told, and what is sent of it."""


@pytest.mark.parametrize("cut", CUTS)
def test_a_feed_that_is_cut_harms_nothing_and_may_be_sent_again(
    service: RunningService, institution: httpx.Client, says: Court, cut: str
) -> None:
    first, last = Stranger(), Stranger()
    head, body = CUTS[cut](ndjson([first.listed(), last.listed()]))
    told = _send_and_hang_up(service, body, head)
    assert b"nothing was changed" in told or told == b""
    assert [outcome(institution, each.number) for each in (first, last)] == ["allow", "allow"]
    assert outcome(institution, DEBTOR) == "deny"
    says.do(first.listed(), last.listed())
    assert [outcome(institution, each.number) for each in (first, last)] == ["deny", "deny"]


@pytest.mark.parametrize("cut", CUTS)
def test_a_strict_feed_that_is_cut_changes_nothing(
    service: RunningService, institution: httpx.Client, cut: str
) -> None:
    first, last = Stranger(), Stranger()
    head, body = CUTS[cut](ndjson([first.listed(), last.listed()]))
    told = _send_and_hang_up(service, body, head, "?strict=true")
    assert b"nothing was changed" in told or told == b""
    assert [outcome(institution, each.number) for each in (first, last)] == ["allow", "allow"]


def test_a_long_feed_that_is_cut_changes_nothing_and_may_be_sent_again(
    service: RunningService, institution: httpx.Client, says: Court
) -> None:
    first, last = Stranger(), Stranger()
    between = [first.about(op) for op in ("shield", "unshield")] * SLICES_SURELY
    lines = [first.listed(), *between, last.listed()]
    body = ndjson(lines)
    told = _send_and_hang_up(service, body[:-30], f"content-length: {len(body)}")
    assert b"nothing was changed" in told or told == b""
    assert [outcome(institution, each.number) for each in (first, last)] == ["allow", "allow"]
    says.do(*lines)
    assert [outcome(institution, each.number) for each in (first, last)] == ["deny", "deny"]


def test_an_endless_line_is_rejected_and_takes_no_memory(
    service: RunningService, court: httpx.Client, institution: httpx.Client
) -> None:
    somebody = Stranger()

    def endless() -> Iterator[bytes]:
        for _ in range(ENDLESS_CHUNKS):
            yield CHUNK
        yield b"\n" + ndjson([somebody.listed()])

    before = _memory(service)
    report = court.post(CHANGES, content=endless()).json()
    assert [line["code"] for line in report["rejected"]] == ["line-too-long"]
    assert report["accepted"] == 1
    assert outcome(institution, somebody.number) == "deny"
    assert _memory(service) - before < GROWTH_MAX


def test_a_body_that_is_no_feed_is_rejected_line_by_line(court: httpx.Client) -> None:
    report = court.post(CHANGES, content=b"\xff\xff\n[1]\nnull\n").json()
    assert [line["code"] for line in report["rejected"]] == [
        "invalid-encoding",
        "invalid-operation",
        "invalid-operation",
    ]


def test_an_empty_feed_changes_nothing(court: httpx.Client, says: Court) -> None:
    version = says.say()["version"]
    assert court.post(CHANGES, content=b"\n\n").json()["version"] == version


def _memory(service: RunningService) -> int:
    """Of all processes of the server together."""
    main = psutil.Process(service.pid)
    return sum(each.memory_info().rss for each in (main, *main.children(recursive=True)))


def _send_and_hang_up(service: RunningService, body: bytes, length: str, query: str = "") -> bytes:
    """Send a request by hand and close the sending side; gives whatever is answered."""
    lines = (
        f"POST {CHANGES}{query} HTTP/1.1",
        f"host: {service.address[0]}",
        f"authorization: Bearer {service.keys['court']}",
        length,
    )
    with socket.create_connection(service.address, PATIENCE_S) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))
