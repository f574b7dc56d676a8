"""The parts of uvicorn that `checker.serving` relies on, and that its documents do not promise."""

import asyncio
import inspect

import httptools
import pytest
import uvicorn
from uvicorn.lifespan.on import LifespanOn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

CALLBACKS = (
    "connection_made",
    "connection_lost",
    "data_received",
    "on_message_begin",
    "on_url",
    "on_header",
    "on_headers_complete",
    "on_body",
    "on_message_complete",
    "on_response_complete",
)
STATE = ("cycle", "expect_100_continue", "flow", "headers", "parser", "pipeline", "scope")


async def app(_scope: object, _receive: object, _send: object) -> None:
    """Answer nothing."""


def protocol() -> HttpToolsProtocol:
    config = uvicorn.Config(app, access_log=False, log_config=None, ws="none")
    config.load()
    state = ServerState()
    return HttpToolsProtocol(config, state, {})


@pytest.mark.anyio
async def test_the_protocol_has_the_callbacks_and_the_state_that_we_use() -> None:
    one = protocol()
    assert [name for name in CALLBACKS if not callable(getattr(one, name, None))] == []
    assert [name for name in STATE if not hasattr(one, name)] == []
    assert one._unset_keepalive_if_required() is None
    assert (one.cycle, one.headers) == (None, None)
    assert isinstance(one.server_state.connections, set)
    assert isinstance(one.server_state.tasks, set)
    assert one.server_state.default_headers == []


@pytest.mark.anyio
async def test_a_begun_message_has_a_scope_whose_headers_we_may_replace() -> None:
    one = protocol()
    one.on_message_begin()
    assert (one.url, one.headers, one.expect_100_continue) == (b"", [], False)
    assert one.scope["headers"] is one.headers


def test_a_cycle_ends_its_connection_where_it_is_set_to() -> None:
    fields = inspect.signature(RequestResponseCycle).parameters
    assert {"scope", "keep_alive", "on_response"} <= set(fields)
    source = inspect.getsource(RequestResponseCycle)
    assert "self.response_complete" in source
    assert 'content.append(b"connection: close\\r\\n")' in source


def test_flow_control_pauses_and_says_so() -> None:
    class Transport(asyncio.Transport):
        def pause_reading(self) -> None:
            """Pause."""

    flow = FlowControl(Transport())
    assert (flow.read_paused, flow.write_paused) == (False, False)
    flow.pause_reading()
    assert flow.read_paused


def test_an_error_in_a_callback_stops_the_parser_and_is_the_context_of_its_error() -> None:
    class Stop(Exception):
        """Stops."""

    class Callbacks:
        def on_headers_complete(self) -> None:
            raise Stop

        def on_message_complete(self) -> None:
            raise AssertionError("the parser went on")

    parser = httptools.HttpRequestParser(Callbacks())
    with pytest.raises(httptools.HttpParserCallbackError) as caught:
        parser.feed_data(b"GET / HTTP/1.1\r\n\r\n")
    assert isinstance(caught.value.__context__, Stop)


@pytest.mark.anyio
async def test_a_lifespan_that_fails_says_that_the_server_must_end() -> None:
    async def broken(_scope: object, _receive: object, _send: object) -> None:
        raise RuntimeError

    config = uvicorn.Config(broken, access_log=False, log_config=None, lifespan="on")
    config.load()
    lifespan = LifespanOn(config)
    await lifespan.startup()
    assert lifespan.should_exit
