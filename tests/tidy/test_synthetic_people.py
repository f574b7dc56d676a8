"""Nobody alive is meant: every resident ID in the repository belongs to 1850 to 1905."""

import re

from loadtest.document_numbers import resident_check_digit
from tests.tidy.source_tree import assert_none, project_files, read, shown

YEARS = range(1850, 1906)
NUMBER = re.compile(r"(?<![0-9A-Za-z])([0-9]{17})([0-9Xx])(?![0-9A-Za-z])")
TEXTS = [
    path for path in project_files() if path.suffix not in {".lock", ".png", ".woff2", ".xlsx"}
]


def living(text: str) -> list[str]:
    """Numbers that somebody born outside of the years could have."""
    return [
        body + check
        for body, check in NUMBER.findall(text)
        if resident_check_digit(body) == check.upper()
        and _is_a_date(body[6:14])
        and int(body[6:10]) not in YEARS
        and 1800 <= int(body[6:10]) <= 2026
    ]


def test_no_number_in_a_file_could_belong_to_anybody_alive():
    assert_none(
        f"{shown(path, line)}: {number}"
        for path in TEXTS
        if NUMBER.search(read(path))
        for line, text in enumerate(read(path).splitlines(), 1)
        for number in living(text)
    )


def test_the_search_finds_a_number_of_somebody_who_could_be_alive():
    body = "440882" + "1990" + "0101" + "123"
    number = body + resident_check_digit(body)

    assert living(f'"{number}",') == [number]
    assert living(number.replace("1990", "1890")) == []


def test_the_contracts_own_example_is_seen_and_passes():
    assert NUMBER.search("440882189001011230")
    assert living("440882189001011230") == []


def _is_a_date(text: str) -> bool:
    return 1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:8]) <= 31
