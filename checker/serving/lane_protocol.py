"""The lane: answers checks in the protocol of their connection, without a task.

    head ──> a check, and its key is known ──> body ──> answered at once
      └────> anything else ──┐                   └────> an error, or others must be asked ──┐
                             └──────────────────────────────────────────────────────────────┴──>
                                                     the application, with the same request

The lane answers by the application's own parts (`ChecksResource.create_at_once`), so both ways give
the same answer, byte for byte but the id and the time.
"""

from collections.abc import Mapping
from typing import Any, Final

from checker.accounts.keys import Caller, digest_of, key_of
from checker.api.answering import ChecksResource
from checker.api.caller_address import TrustedProxies
from checker.api.exchange import CHECK_BYTES_MAX, JSON, raw_ok
from checker.api.lane import CHECKS
from checker.api.manners import REQUEST_ID_HEADER, request_id_of
from checker.serving.bounded_protocol import CHUNKED, BoundedProtocol
from checker.serving.known_head import KnownHead

_AUTHORIZATION: Final = b"authorization"
_CHECKS: Final = CHECKS.encode()
_JSON: Final = JSON.encode()


class LaneProtocol(BoundedProtocol):
    """One connection of a worker. `at_once`: the lane answers checks where that can be done."""

    def __init__(
        self,
        *arguments: Any,
        checks: ChecksResource,
        proxies: TrustedProxies,
        at_once: bool,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self._checks = checks
        self._proxies = proxies
        self._at_once = at_once
        self._is_trusted = False
        # The key that was sent last: a caller sends the same key with each request.
        self._authorization: bytes | None = None
        self._digest = b""
        # The check that the lane has begun; `_parts` of its body is None if there is none.
        self._parts: list[bytes] | None = None
        self._body_bytes = 0
        self._caller: Caller | None = None
        self._sent: dict[bytes, bytes] = {}
        # The head of the last check that the lane answered.
        self._known_head: KnownHead | None = None
        self._is_between_requests = True
        self._may_remember = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the connection, and the check of which the body has not arrived."""
        self._parts = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answer a check with the head of the last one at once; else parse what has arrived."""
        is_between = self._is_between_requests
        known_head = self._known_head
        if known_head is not None and is_between and self._can_answer_now():
            body = known_head.body_in(data)
            if body is not None:
                caller = self._checks.caller_at_once(known_head.digest, known_head.address)
                if caller is not None and self._answer(caller, body, {}):
                    return
        self._may_remember = False
        super().data_received(data)
        if self._may_remember and is_between and self._is_between_requests:
            self._known_head = KnownHead.of(data, self._digest, self._caller_address())

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._is_between_requests = False
        super().on_message_begin()

    def look(self) -> None:
        """Close the connection if its caller has taken too long.

        A check whose body is still on its way goes on to the application, which bounds bodies.
        """
        if self._parts is not None and not self.is_refused:
            self._leave()
        super().look()

    def on_headers_complete(self) -> None:
        """Choose the way by the head of the request."""
        self.end_head()
        if self.parser.should_upgrade():
            return
        sent = dict(self.headers)
        authorization = sent.get(_AUTHORIZATION)
        if authorization is not None:
            if authorization != self._authorization:
                self._authorization = authorization
                self._digest = digest_of(key_of(authorization.decode("latin-1")) or "")
            caller = None
            is_for_lane = self.url == _CHECKS and self._is_for_lane(sent)
            if is_for_lane or not self._is_trusted:
                caller = self._checks.caller_at_once(self._digest, self._caller_address())
            if caller is not None:
                self._trust()
                if is_for_lane:
                    self._caller, self._sent, self._parts = caller, sent, []
                    self._body_bytes = 0
                    return
        self.pass_on()

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body."""
        if self._parts is None:
            super().on_body(body)
            return
        self._parts.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > CHECK_BYTES_MAX:
            self._leave()

    def on_message_complete(self) -> None:
        """Answer a check at once if that can be done; else let the application answer."""
        self._is_between_requests = True
        parts = self._parts
        if parts is None:
            super().on_message_complete()
            return
        assert self._caller is not None
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        if self._answer(self._caller, body, self._sent):
            self._parts = None
            # A head with an id of its own does not come again.
            self._may_remember = REQUEST_ID_HEADER not in self._sent
        else:
            self._leave()
            super().on_message_complete()

    def _answer(self, caller: Caller, body: bytes, sent: Mapping[bytes, bytes]) -> bool:
        """Answer a check; return whether that could be done. `sent` are the request's headers."""
        answered = self._checks.create_at_once(caller, body)
        if answered is None:
            return False
        self.note_progress()
        request_id = request_id_of(sent)
        self.transport.write(raw_ok(answered.body, answered.allowance, request_id, self.date))
        return True

    def _can_answer_now(self) -> bool:
        """Return whether the connection has no other request or answer on its way."""
        cycle = self.cycle
        return (
            (cycle is None or cycle.response_complete)
            and not self.all.is_ending
            and not self.flow.write_paused
            and not self.is_refused
        )

    def _is_for_lane(self, sent: dict[bytes, bytes]) -> bool:
        """Return whether the lane may begin a request to check with this head."""
        parser = self.parser
        return (
            self._at_once
            and self._can_answer_now()
            and sent.get(b"content-type") == _JSON
            and bool(sent.get(b"host"))
            # A name that is there twice, which the application may refuse.
            and len(sent) == len(self.headers)
            and not self.expect_100_continue
            and sent.get(b"connection", b"keep-alive") == b"keep-alive"
            and sent.get(b"transfer-encoding", CHUNKED) == CHUNKED
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
        )

    def _leave(self) -> None:
        """Let the application answer the check that the lane has begun."""
        parts, self._parts = self._parts or [], None
        self.pass_on()
        for part in parts:
            super().on_body(part)

    def _caller_address(self) -> str:
        """Return the address of the caller of the request, who may be behind a proxy."""
        if self._proxies:
            return self._proxies.behind(self.address, self.headers)
        return self.address

    def _trust(self) -> None:
        if not self._is_trusted:
            self._is_trusted = True
            self.all.trust(self)
