"""The publication platform's record comes in all the shapes that the contract names."""

import re
from random import Random

import msgspec
import pytest

from loadtest.circles import Shares
from loadtest.population import Population
from loadtest.zxgk import zxgk_line

ROWS = [msgspec.json.decode(line) for line in Population(1, 3000).zxgk_lines()]
PEOPLE = [row for row in ROWS if row["partyTypeName"] in {"0", "580"}]
COMPANIES = [row for row in ROWS if row["partyTypeName"] in {"1", "581"}]
OFFICERS = [officer for row in COMPANIES for officer in row["qysler"]]

SHAPES = {
    "age as a number": any(isinstance(row["age"], int) for row in PEOPLE),
    "age as a text": any(isinstance(row["age"], str) for row in PEOPLE),
    "age of a company": any(row["age"] == 0 for row in COMPANIES),
    "several titles": any(isinstance(row["gistId"], list) for row in ROWS),
    "nothing known": any(row["gistId"] == "暂无" for row in ROWS),
    "empty text": any(row["gistId"] == "" for row in ROWS),
    "line breaks": any("\n" in row["duty"] for row in ROWS),
    "half-width brackets": any(row["caseCode"].startswith("(") for row in ROWS),
    "full-width brackets": any(row["caseCode"].startswith("（") for row in ROWS),
    "old case numbers": any(re.search(r"法执字第\d{5}号$", row["caseCode"]) for row in ROWS),
    "written dates": any(re.fullmatch(r"\d{4}年\d\d月\d\d日", row["regDate"]) for row in ROWS),
    "bare dates": any(re.fullmatch(r"\d{8}", row["publishDate"]) for row in ROWS),
    "unknown fields": any("focusNumber" in row for row in ROWS),
    "masked numbers": any(re.search(r"^\d{10}\*{4}", row["cardNum"]) for row in PEOPLE),
    "old numbers": any(re.fullmatch(r"\d{15}", row["cardNum"]) for row in PEOPLE),
    "lower-case x": any(row["cardNum"].endswith("x") for row in PEOPLE),
    "uscc": any(len(row["cardNum"]) == 18 for row in COMPANIES),
    "organization code": any(len(row["cardNum"]) == 9 for row in COMPANIES),
    "hyphen": any(row["cardNum"][8:9] == "-" for row in COMPANIES),
    "officer by name alone": any("cardNum" not in officer for officer in OFFICERS),
    "officer without number": any(officer.get("cardNum") == "暂无" for officer in OFFICERS),
    "officer in businessEntity alone": any(
        row["businessEntity"] not in {officer["iname"] for officer in row["qysler"]}
        for row in COMPANIES
    ),
    "no qysler": any("qysler" not in row for row in PEOPLE),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_wild_shape_occurs(shape):
    assert SHAPES[shape]


def test_every_party_is_a_person_or_a_company():
    assert len(PEOPLE) + len(COMPANIES) == len(ROWS)
    assert PEOPLE
    assert COMPANIES


def test_another_spelling_leaves_names_and_numbers_as_they_are():
    shares = Shares(organization=0, elsewhere=0)
    for listing in Population(1, 100, shares=shares).listings():
        one, other = (msgspec.json.decode(zxgk_line(listing, Random(seed))) for seed in (1, 2))
        assert one["iname"].replace("　", "") == other["iname"].replace("　", "")
        assert one["cardNum"].upper() == other["cardNum"].upper()
