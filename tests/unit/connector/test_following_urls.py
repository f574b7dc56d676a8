"""Which addresses can be followed, and what of them is shown."""

import httpx
import pytest

from checker.connector.web_source import WebSource, parse_url
from checker.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ftp://lists.example/all.ndjson", "http or https"),
        ("file:///srv/list", "http or https"),
        ("https://", "http or https"),
        ("https:///list", "http or https"),
        ("https://lists.example:port/", "not a URL"),
        ("https://lists.example/\x00", "not a URL"),
        ("https://xn--)/", "not a URL"),
        ("https://court:secret@lists.example/", "--token-file"),
        ("https://secret@lists.example/", "--token-file"),
        ("https://lists.example/all.ndjson#secret", "fragment"),
    ],
)
def test_an_address_that_cannot_be_followed_is_refused_and_not_repeated(text, told):
    with pytest.raises(ConfigurationError) as refused:
        parse_url(text)
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://lists.example/", "https://lists.example/"),
        ("HTTPS://Lists.Example:443/a.ndjson", "https://lists.example/a.ndjson"),
        ("http://lists.example:8080/a/b/", "http://lists.example:8080/a/b/"),
    ],
)
def test_a_source_is_named_by_its_address(text, name):
    assert WebSource(httpx.AsyncClient(), parse_url(text), None).name == name


def test_a_key_in_the_query_is_no_part_of_the_name_but_tells_sources_apart():
    names = {
        WebSource(httpx.AsyncClient(), parse_url(f"https://lists.example/a?key={key}"), None).name
        for key in ("secret-1", "secret-2")
    }

    assert len(names) == 2
    assert not any("secret" in name for name in names)
