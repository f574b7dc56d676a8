"""Places of service."""

import pytest

from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import NATION, parse_jurisdiction, path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("CN", "CN"),
        ("44", "44"),
        ("4400", "44"),
        ("440000", "44"),
        ("4408", "4408"),
        ("440800", "4408"),
        ("440882", "440882"),
        ("441000", "4410"),
        ("429004", "429004"),
        ("820000", "82"),
    ],
)
def test_a_place_is_read_without_the_zeros_behind_it(text: str, place: str) -> None:
    assert parse_jurisdiction(text) == place
    assert parse_jurisdiction(place) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cn",
        "C",
        "4",
        "440",
        "44088",
        "4408820",
        "00",
        "99",
        "16",
        "440082",
        "４４",
        "٤٤",
        "4a",
        " 44",
    ],
)
def test_what_names_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidJurisdiction):
        parse_jurisdiction(text)


def test_the_path_runs_from_the_nation_to_the_place() -> None:
    assert path(parse_jurisdiction("440882")) == ("CN", "44", "4408", "440882")
    assert path(parse_jurisdiction("440800")) == ("CN", "44", "4408")
    assert path(parse_jurisdiction("44")) == ("CN", "44")
    assert path(NATION) == ("CN",)
