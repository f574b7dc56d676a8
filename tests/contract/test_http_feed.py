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


def test_a_file_in_another_encoding_changes_nothing(
    court: httpx.Client, institution: httpx.Client, put_snapshot: PutSnapshot
) -> None:
    before = put_snapshot([GOOD])["version"]
    for encoding in ("gbk", "utf-16"):
        body = ndjson([OTHER, GOOD]).decode().encode(encoding)
        problem(court.put(FEED, content=body), 400, "invalid-request")
    assert decision(institution, DEBTOR) == "deny"
    assert ask(institution, INNOCENT, FLIGHT)["list"]["version"] == before


@pytest.mark.parametrize("body", [b"", b"\n\n", b"{}\n"], ids=["empty", "blank", "all rejected"])
def test_an_empty_list_is_refused_and_frees_nobody(
    court: httpx.Client, institution: httpx.Client, put_snapshot: PutSnapshot, body: bytes
) -> None:
    put_snapshot([GOOD])
    told = problem(court.put(FEED, content=body), 400, "invalid-request")
    assert "allow_empty" in told["detail"]
    assert decision(institution, DEBTOR) == "deny"
    refused = court.put(FEED, content=body, params={"allow_empty": "false"})
    problem(refused, 400, "invalid-request")


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
