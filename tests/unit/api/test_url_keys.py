"""A key in a URL is found, whatever it is called, and nothing else is taken for one."""

import pytest

from checker.api.url_keys import key_in_url
from checker.errors import InvalidRequest, Unauthenticated

KEY = "ck_" + "aB3_-" * 8 + "xyz"


@pytest.mark.parametrize(
    "query",
    [
        "key=x",
        "api_key=x",
        "apikey=x",
        "access_token=x",
        "token=x",
        "Authorization=x",
        "after=1&key=",
        "KEY=x",
        f"after={KEY}",
        f"{KEY}",
        f"a=b&c=%20{KEY}",
    ],
)
def test_what_is_named_or_looks_like_a_key_is_refused(query):
    without = key_in_url("/v1/checks", query.encode(), has_header=False)
    beside = key_in_url("/v1/accounts", query.encode(), has_header=True)
    assert isinstance(without, Unauthenticated)
    assert isinstance(beside, InvalidRequest)
    assert KEY not in str(without) + str(beside)


@pytest.mark.parametrize("query", ["", "after=1&limit=2", "strict=true", "monkey=1", "ck_=1"])
def test_other_parameters_are_none_of_its_business(query):
    assert key_in_url("/v1/list", query.encode(), has_header=False) is None


def test_pages_for_people_may_have_parameters_of_any_name():
    assert key_in_url("/docs", b"key=x", has_header=False) is None
