"""When requests are traced, and the error where they cannot be."""

import pytest

from checker.api.tracing import (
    ENDPOINT_VARIABLES,
    PROTOCOL_VARIABLES,
    is_traced,
    open_tracing,
)
from checker.errors import ConfigurationError

HERE = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        dict.fromkeys(ENDPOINT_VARIABLES, ""),
        {"OTEL_SERVICE_NAME": "checker"},
        {ENDPOINT_VARIABLES[1]: HERE, "OTEL_SDK_DISABLED": "TRUE"},
    ],
)
def test_nothing_is_traced_unless_somebody_said_where_to(environ):
    looked_for = []

    assert not is_traced(environ, find=looked_for.append)
    assert open_tracing(environ) is None
    assert looked_for == []


@pytest.mark.parametrize("name", ENDPOINT_VARIABLES)
def test_requests_are_traced_where_an_endpoint_is_named(name):
    assert is_traced({name: HERE})


@pytest.mark.parametrize("name", PROTOCOL_VARIABLES)
def test_a_protocol_that_is_not_spoken_stops_the_start(name):
    said = {ENDPOINT_VARIABLES[0]: HERE}

    assert is_traced({**said, name: "http/protobuf"})
    with pytest.raises(ConfigurationError, match=name):
        is_traced({**said, name: "grpc"})


def is_missing(name: str) -> None:
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("find", [lambda _name: None, is_missing])
def test_what_is_not_installed_is_named(find):
    with pytest.raises(ConfigurationError, match=r"pip install 'checker\[tracing\]'"):
        is_traced({ENDPOINT_VARIABLES[0]: HERE}, find=find)
