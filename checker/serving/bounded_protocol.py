"""The HTTP of one connection, with bounds on the size of a head and on the time for it.

uvicorn has no such bounds. The class relies on parts of uvicorn that are not documented;
`tests/unit/serving/test_uvicorn_parts.py` names them, and fails when an upgrade changes them.
"""

from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from checker.api.exchange import Reply, raw_last, reply_to
from checker.api.manners import request_id_of
from checker.api.responses import bug
from checker.errors import BodyStalled, InvalidRequest, TooLarge
from checker.serving.connections import Connections

HEAD_BYTES_MAX: Final = 64 * 1024
"""Bytes of a request before its body: a hundred times what a caller sends."""

HEADERS_MAX: Final = 100
"""Headers of a request: several times what a caller behind three proxies sends."""


CHUNKED: Final = b"chunked"
_TRANSFER_ENCODING: Final = b"transfer-encoding"
_VERSIONS: Final = {"1.0", "1.1"}


class Refused(Exception):
    """Stops the parser; `reply` is the last answer on the connection."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class BoundedProtocol(HttpToolsProtocol):
    """One connection of a worker; every request goes to the application."""

    def __init__(self, *arguments: Any, connections: Connections, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.all = connections
        # The bytes of a head that is not complete; None between requests.
        self._head_bytes: int | None = None
        self._read_bytes = 0
        # Whether the body of a request that the application answers is on its way.
        self._is_in_body = False
        # Whether the last read brought a part of the body, and the bytes since that brought none.
        self._has_body_part = False
        self._bodiless_bytes = 0
        self._refusal: Reply | None = None
        # The look at which the caller last did something, and the bytes then not sent.
        self._since = connections.looks
        self._unsent = 0

    @property
    def address(self) -> str:
        """The network address of the peer; empty where the peer has gone already."""
        return self.client[0] if self.client else ""

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def is_refused(self) -> bool:
        """Whether the connection ends with an answer of the protocol, and takes no request."""
        return self._refusal is not None

    def connection_made(self, transport: Any) -> None:
        """Take the connection in."""
        super().connection_made(transport)
        self.all.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the connection."""
        self.all.forget(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close the connection at once; an answer that is not sent whole is lost."""
        self.transport.abort()

    def look(self) -> None:
        """Close the connection if its caller has taken too long."""
        looks, limits = self.all.looks, self.all.limits
        unsent = self.transport.get_write_buffer_size()
        is_answered = not self.is_waiting and not unsent
        if is_answered or unsent != self._unsent:
            self._since, self._unsent = looks, unsent
            return
        passed = looks - self._since
        if unsent:
            # Somebody does not read the answer.
            if passed > limits.idle_looks:
                self.abort()
        elif self._head_bytes is not None:
            if passed > limits.header_looks:
                self._refuse(reply_to(BodyStalled("the head of the request came too slowly")))
        elif passed > (limits.header_looks if self.headers is None else limits.idle_looks):
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; answer and close the connection where that cannot be done."""
        if self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        self._read_bytes = len(data)
        self._has_body_part = False
        rest = None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            self._break_off(_reply_to(error))
        else:
            self._bound_what_is_no_body(len(data))
        if rest is not None:
            # Not within `except`: a fault in the rest would have the upgrade as its context.
            self._ignore_upgrade(rest)

    def _bound_what_is_no_body(self, read_bytes: int) -> None:
        """Refuse a head that is too large, and chunks that end in bytes which are no body.

        Those are a trailer or the extension of a chunk: the parser holds them whole.
        """
        if self._head_bytes is not None:
            self._head_bytes += read_bytes
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(reply_to(_too_large()))
        elif self._is_in_body:
            self._bodiless_bytes = 0 if self._has_body_part else self._bodiless_bytes + read_bytes
            if self._bodiless_bytes > HEAD_BYTES_MAX:
                self._break_off(reply_to(_too_large()))

    def on_message_begin(self) -> None:
        """Begin a request; the ASGI scope is made only for the application."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._head_bytes = 0
        self._is_in_body = False
        self._since = self.all.looks

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header. A field of a trailer is dropped (RFC 9110, section 6.5.1).

        A trailer comes behind the checks of a proxy. So no `Authorization` may come by it.
        """
        if self._head_bytes is None:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Hand on a part of the body."""
        self._has_body_part = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Hand on the end of the body."""
        self._is_in_body = False
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Let the application answer the request whose head has arrived."""
        self.end_head()
        if not self.parser.should_upgrade():
            self.pass_on()

    def on_response_complete(self) -> None:
        """Go on after an answer of the application."""
        is_last = not self.pipeline
        super().on_response_complete()
        self.note_progress()
        if self._refusal is not None and is_last and not self.transport.is_closing():
            self._send_refusal(self._refusal)

    def note_progress(self) -> None:
        """Note that the caller did something just now."""
        self._since = self.all.looks

    def end_head(self) -> None:
        """Note that a head is complete. Raises Refused where the head is too large."""
        headers = self.headers
        # Of the last read some bytes may be of the request before, or of the body.
        may_be_large = (self._head_bytes or 0) + self._read_bytes > HEAD_BYTES_MAX
        self._head_bytes = None
        if len(headers) > HEADERS_MAX or (may_be_large and self._head_size() > HEAD_BYTES_MAX):
            raise Refused(reply_to(_too_large()))

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def pass_on(self) -> None:
        """Begin to answer the request by the application. Raises Refused."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        if not url.startswith(b"/") and httptools.parse_url(url).path is None:
            raise Refused(reply_to(InvalidRequest("the request has no path")))
        if self.parser.get_http_version() not in _VERSIONS:
            raise Refused(reply_to(InvalidRequest("the versions of HTTP are 1.1 and 1.0")))
        codings = [value for name, value in headers if name == _TRANSFER_ENCODING]
        if codings and (len(codings) > 1 or codings[0].lower() != CHUNKED):
            # The parser finds such a fault only after the request has been passed on.
            raise Refused(reply_to(InvalidRequest("the only transfer coding is chunked, once")))
        super().on_headers_complete()
        self._is_in_body = True
        self._bodiless_bytes = 0
        if self.all.is_ending:
            self.cycle.keep_alive = False

    @property
    def date(self) -> bytes:
        """The text of the `Date` of an answer."""
        return self.server_state.default_headers[0][1]

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read a request again without its wish for another protocol (RFC 9110, section 7.8).

        The parser skips the body of such a request; `rest` is what came behind its head. Some
        clients, as that of Java, ask every server without TLS for HTTP/2.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(reply_to(InvalidRequest("the service is no proxy")))
            return
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % each for each in self.headers or () if each[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn sets it: bytes behind the last request are dropped.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"\r\n".join([*lines, b"", b""]) + rest)

    def _break_off(self, reply: Reply) -> None:
        """Close the connection at bytes that cannot be parsed. A request is never answered twice.

        | the bytes are                                  | the answer                            |
        |------------------------------------------------|---------------------------------------|
        | no part of a request that was passed on        | `reply`, after the answers before it  |
        | in the body of one that waits for its turn     | `reply`, after the answers before it  |
        | in the body of one that is being answered      | `reply`; the application sees an end  |
        | in the body of one whose answer has begun      | that answer alone                     |
        """
        cycle = self.cycle
        if not self._is_in_body:
            self._refuse(reply)
        elif cycle.response_started:
            self.transport.close()
        elif self.pipeline:
            assert self.pipeline[0][0] is cycle, "the newest request waits at the left end"
            self.pipeline.popleft()
            self._refuse(reply)
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._refusal = reply
            self._send_refusal(reply)

    def _refuse(self, reply: Reply) -> None:
        """Close the connection by this answer, after the answers that come before it."""
        self._refusal = reply
        self.flow.pause_reading()
        if self.is_waiting:
            self._send_refusal(reply)

    def _send_refusal(self, reply: Reply) -> None:
        self.transport.write(raw_last(reply, request_id_of({}), self.date))
        self.transport.close()


def _reply_to(error: httptools.HttpParserError) -> Reply:
    """Return the answer to a request that the parser, or one of its callbacks, could not take."""
    cause = error.__context__
    if isinstance(cause, Refused):
        return cause.reply
    is_callers = cause is None or isinstance(cause, httptools.HttpParserError | UnicodeError)
    if is_callers:
        return reply_to(InvalidRequest("the request is not HTTP/1.1 as it must be"))
    assert isinstance(cause, Exception)
    return bug(cause)


def _too_large() -> TooLarge:
    return TooLarge(f"the head has more than {HEAD_BYTES_MAX} bytes, or {HEADERS_MAX} headers")
