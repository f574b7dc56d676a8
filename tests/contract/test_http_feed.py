"""The court's feed: a snapshot replaces the list, a rejected line changes nothing else."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.asking import FLIGHT, ask, pointers, problem
from tests.support.town import (
    DEBTOR,
    DEBTOR_NAME,
    INNOCENT,
    LEGAL_REPRESENTATIVE,
    OTHER_NAME,
    PASSPORT,
    TRAVELLER_NAME,
    document,
    listing,
    ndjson,
    person,
)

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

PutSnapshot = Callable[..., dict[str, Any]]
FEED = "/v1/feed/snapshot"
HISTORY = re.compile("[0-9a-f]{32}")
LINE_BYTES_MAX = 1 << 20
GOOD = listing("1", person(DEBTOR_NAME, document(DEBTOR)))
COMPANY = {
    "type": "organization",
    "name": OTHER_NAME,
    "documents": [document("MA4UX001X", "org_code")],
}
OTHER = listing("2", person(TRAVELLER_NAME, document(PASSPORT, "passport")))


def decision(client: httpx.Client, number: str, kind: str = "resident_id") -> str:
    told: str = ask(client, number, FLIGHT, kind=kind)["decision"]
    return told


def rejected(report: dict[str, Any]) -> list[tuple[int, str]]:
    assert report["rejected_count"] == len(report["rejected"])
    return [(line["line"], line["code"]) for line in report["rejected"]]


def test_a_snapshot_replaces_the_whole_list(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    put_snapshot([GOOD])
    assert decision(institution, DEBTOR) == "deny"
    report = put_snapshot([OTHER])
    assert set(report) >= {"version", "accepted", "rejected"}
    assert decision(institution, DEBTOR) == "allow"
    assert decision(institution, PASSPORT, "passport") == "deny"


def test_an_officer_who_left_is_free_at_once(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    member = {
        "role": "principal",
        "name": "李法定",
        "documents": [document(LEGAL_REPRESENTATIVE)],
    }
    put_snapshot([listing("1", COMPANY, officers=[member])])
    assert decision(institution, LEGAL_REPRESENTATIVE) == "deny"
    put_snapshot([listing("1", COMPANY)])
    assert decision(institution, LEGAL_REPRESENTATIVE) == "allow"


WRONG_LINES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b'{"id": "9", ', "invalid-json"),
    "two on a line": (ndjson([GOOD]).strip() * 2, "invalid-json"),
    "no object": (b"[]", "invalid-listing"),
    "GBK": (ndjson([listing("9", GOOD["party"])]).decode().encode("gbk"), "invalid-encoding"),
    "an unknown field": (ndjson([listing("9", GOOD["party"], extra=1)]), "invalid-listing"),
    "a missing field": (b'{"id": "9"}', "invalid-listing"),
    "no document": (ndjson([listing("9", person("x"))]), "invalid-listing"),
    "a blank name": (ndjson([listing("9", person(" ", document(DEBTOR)))]), "invalid-listing"),
    "a wrong number": (
        ndjson([listing("9", person("x", document(DEBTOR[:-1] + "1")))]),
        "invalid-document",
    ),
    "too little known of a number": (
        ndjson([listing("9", person("x", document("4408**********1230")))]),
        "invalid-document",
    ),
    "a person with officers": (
        ndjson(
            [
                listing(
                    "9",
                    GOOD["party"],
                    officers=[{"role": "principal", "name": "x", "documents": []}],
                )
            ]
        ),
        "invalid-listing",
    ),
    "expired before it began": (
        ndjson([listing("9", GOOD["party"], expires_on="2016-07-07")]),
        "invalid-listing",
    ),
    "no day": (ndjson([listing("9", GOOD["party"], filed_on="2016-02-30")]), "invalid-listing"),
    "the same id": (ndjson([GOOD]), "duplicate-id"),
    "over 1 MiB": (b'{"id": "' + b"9" * LINE_BYTES_MAX + b'"}', "line-too-long"),
    "deep": (b"[" * 500_000, "invalid-listing"),
    "NUL": (b"\0", "invalid-json"),
}


@pytest.mark.parametrize(("line", "code"), WRONG_LINES.values(), ids=WRONG_LINES)
def test_a_line_that_is_wrong_is_rejected_and_the_rest_stands(
    institution: httpx.Client, put_snapshot: PutSnapshot, line: bytes, code: str
) -> None:
    body = b"\n".join((ndjson([GOOD]).strip(), line.strip(), ndjson([OTHER])))
    report = put_snapshot(body)
    assert (report["accepted"], rejected(report)) == (2, [(2, code)])
    assert report["rejected"][0]["detail"]
    assert decision(institution, DEBTOR) == "deny"
    assert decision(institution, PASSPORT, "passport") == "deny"


def test_a_line_may_be_as_long_as_1_mib(put_snapshot: PutSnapshot) -> None:
    line = ndjson([GOOD]).strip()
    padded = line[:-1] + b" " * (LINE_BYTES_MAX - len(line)) + b"}"
    report = put_snapshot(padded)
    assert (report["accepted"], report["rejected"]) == (1, [])


@pytest.mark.parametrize(
    "body",
    [
        ndjson([GOOD, OTHER]).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + ndjson([GOOD, OTHER]),
        b"\n\n" + ndjson([GOOD]) + b" \r\n\n" + ndjson([OTHER]) + b"\n",
        ndjson([GOOD, OTHER]).rstrip(),
    ],
    ids=["CRLF", "byte order mark", "blank lines", "no last newline"],
)
def test_lines_are_read_however_files_are_written(put_snapshot: PutSnapshot, body: bytes) -> None:
    report = put_snapshot(body)
    assert (report["accepted"], report["rejected"]) == (2, [])


def test_lines_are_counted_with_the_blank_ones(put_snapshot: PutSnapshot) -> None:
    report = put_snapshot(b"\n" + ndjson([GOOD]) + b"\n{}\n")
    assert rejected(report) == [(4, "invalid-listing")]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_a_file_in_another_encoding_is_read(
    institution: httpx.Client, put_snapshot: PutSnapshot, encoding: str
) -> None:
    report = put_snapshot(ndjson([OTHER, GOOD]).decode().encode(encoding))
    assert (report["accepted"], report["rejected"]) == (2, [])
    assert decision(institution, DEBTOR) == "deny"


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/x-ndjson; charset=latin-1", ndjson([OTHER])),
        ("application/vnd.ms-excel", ndjson([OTHER])),
        ("application/x-ndjson", ndjson([OTHER]).decode().encode("utf-16-le")),
        ("application/x-ndjson", b"\xff\xff\xff\xff\n"),
    ],
    ids=["unknown charset", "another type", "UTF-16 without a mark", "no encoding"],
)
def test_a_file_that_cannot_be_decoded_changes_nothing(
    court: httpx.Client,
    institution: httpx.Client,
    put_snapshot: PutSnapshot,
    media_type: str,
    body: bytes,
) -> None:
    before = put_snapshot([GOOD])["version"]
    headers = {"content-type": media_type}
    for method, address in (("PUT", FEED), ("POST", "/v1/feed/changes")):
        response = court.request(method, address, content=body, headers=headers)
        problem(response, 415, "unsupported-media-type")
    answer = ask(institution, DEBTOR, FLIGHT)
    assert (answer["decision"], answer["list"]["version"]) == ("deny", before)


def test_a_declared_charset_is_honoured(court: httpx.Client, institution: httpx.Client) -> None:
    body = ndjson([GOOD, OTHER]).decode().encode("gbk")
    for charset, accepted in (("GBK", 2), ("utf-8", 0)):
        headers = {"content-type": f"application/x-ndjson; charset={charset}"}
        response = court.put(FEED, content=body, headers=headers, params={"allow_shrink": "true"})
        if accepted:
            assert response.json()["accepted"] == accepted
        else:
            told = problem(response, 400, "invalid-request")
            assert {each["detail"].partition(":")[0] for each in told["errors"]} == {
                "invalid-encoding"
            }
    assert decision(institution, DEBTOR) == "deny"


@pytest.mark.parametrize("body", [b"", b"\n\n"], ids=["empty", "blank"])
def test_an_empty_list_is_refused_and_frees_nobody(
    court: httpx.Client, institution: httpx.Client, put_snapshot: PutSnapshot, body: bytes
) -> None:
    put_snapshot([GOOD])
    for parameters in ({}, {"allow_shrink": "true"}, {"allow_empty": "false"}):
        told = problem(court.put(FEED, content=body, params=parameters), 400, "invalid-request")
        assert "allow_empty" in told["detail"]
    assert decision(institution, DEBTOR) == "deny"


def test_a_list_of_which_every_line_is_rejected_frees_nobody_whatever_is_allowed(
    court: httpx.Client, institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    put_snapshot([GOOD])
    allowed = dict.fromkeys(("allow_empty", "allow_shrink", "allow_rejected"), "true")
    for parameters in ({}, allowed):
        told = problem(
            court.put(FEED, content=b"{}\n[]\n", params=parameters), 400, "invalid-request"
        )
        assert "2 were rejected" in told["detail"]
        assert [each["pointer"] for each in told["errors"]] == ["/1", "/2"]
    assert decision(institution, DEBTOR) == "deny"
    lines = court.get("/v1/feed/quarantine", params={"limit": 1000}).json()["lines"]
    assert [line["line"] for line in lines[-2:]] == [1, 2]


def test_a_list_of_which_too_many_lines_are_rejected_changes_nothing_unless_it_is_meant(
    court: httpx.Client, institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    before = put_snapshot([GOOD])["version"]
    body = ndjson([GOOD, OTHER]) + b"{}\n" * 2
    told = problem(court.put(FEED, content=body), 400, "invalid-request")
    assert "2 of 4 lines" in told["detail"]
    assert "allow_rejected=true" in told["detail"]
    assert ask(institution, INNOCENT, FLIGHT)["list"]["version"] == before
    report = court.put(FEED, content=body, params={"allow_rejected": "true"}).json()
    assert (report["accepted"], report["rejected_count"]) == (2, 2)


def test_an_empty_list_that_is_meant_frees_everybody(
    institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    put_snapshot([GOOD])
    report = put_snapshot(b"", allow_empty="true")
    assert (report["accepted"], report["rejected"]) == (0, [])
    answer = ask(institution, DEBTOR, FLIGHT)
    assert (answer["decision"], answer["list"]["version"]) == ("allow", report["version"])


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"formt": "zxgk"}, ""),
        ({"strict": "true"}, ""),
        ({"format": "csv"}, "/format"),
        ({"allow_empty": "1"}, "/allow_empty"),
        ({"allow_empty": ""}, "/allow_empty"),
    ],
)
def test_a_parameter_that_is_not_known_is_refused(
    court: httpx.Client, parameters: dict[str, str], pointer: str
) -> None:
    response = court.put(FEED, params=parameters, content=ndjson([GOOD]))
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


def test_the_state_of_the_list_is_told_in_numbers(
    operator: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    nameless = {"role": "principal", "name": "吴无证", "documents": []}
    masked = listing("4", person("x", document("4201061886****2453")))
    lines = [GOOD, OTHER, listing("3", COMPANY, officers=[nameless]), masked]
    version = put_snapshot(lines)["version"]
    told = operator.get("/v1/list").json()
    assert told.pop("as_of").endswith("Z")
    assert HISTORY.fullmatch(told.pop("history"))
    assert all(set(node) == {"id", "version", "lag_ms"} for node in told.pop("nodes"))
    assert told == {
        "version": version,
        "persons": 3,
        "organizations": 1,
        "listings": 4,
        "overdue_removals": 0,
        "overdue_corrections": 0,
        "unresolved_officers": 1,
        "masked": 1,
        "lost_changes": [],
    }
