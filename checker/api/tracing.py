"""Decides whether requests are traced: if an endpoint is set, and the library is installed.

The variables are those of OpenTelemetry. The library is an extra. Without tracing the library is
not imported, and no request passes through it.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from checker.errors import ConfigurationError

if TYPE_CHECKING:
    from checker.api.spans import Tracing

ENDPOINT_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOL_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"
_DISABLED_VARIABLE: Final = "OTEL_SDK_DISABLED"
_NEEDED: Final = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def is_traced(
    environ: Mapping[str, str], *, find: Callable[[str], object | None] = find_spec
) -> bool:
    """Return whether requests are traced; `find` looks for a module.

    Raises:
        ConfigurationError: tracing is wanted, but the library is not installed, or the wanted
            protocol is not the one that is spoken here.
    """
    named = [name for name in ENDPOINT_VARIABLES if environ.get(name)]
    if not named or environ.get(_DISABLED_VARIABLE, "").lower() == "true":
        return False
    if not all(_is_found(name, find) for name in _NEEDED):
        text = f"{named[0]} is set, and what sends traces is not: pip install 'checker[tracing]'"
        raise ConfigurationError(text)
    for name in PROTOCOL_VARIABLES:
        if environ.get(name, _PROTOCOL) not in {"", _PROTOCOL}:
            raise ConfigurationError(f"{name} is {_PROTOCOL} or not set: no other is spoken here")
    return True


def open_tracing(environ: Mapping[str, str]) -> "Tracing | None":
    """Start tracing by the environment, and return it; return None if nothing is traced.

    Raises:
        ConfigurationError: as `is_traced`.
    """
    if not is_traced(environ):
        return None
    tracing: Tracing = import_module("checker.api.spans").open_tracing()
    return tracing


def _is_found(name: str, find: Callable[[str], object | None]) -> bool:
    try:
        return find(name) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False
