"""A real HTTP receiver of notices on a port of its own, which answers as it is told to."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

Status = int | tuple[int, dict[str, str]]


class Message(NamedTuple):
    """A message as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.json.decode(self.body)
        return told

    @property
    def data(self) -> dict[str, Any]:
        told: dict[str, Any] = self.event["data"]
        return told


class Receiver:
    """What came in, in its order, and what of it was acknowledged."""

    def __init__(self, answer: Callable[[Message], Status]) -> None:
        self.answer = answer
        self.messages: list[Message] = []
        self.acknowledged: list[Message] = []
        self.changed = threading.Condition()
        self.url = ""
        self.ending = threading.Event()

    def take(self, message: Message) -> Status:
        with self.changed:
            self.messages.append(message)
        status = self.answer(message)
        with self.changed:
            if status in (200, 202, 204):
                self.acknowledged.append(message)
            self.changed.notify_all()
        return status

    def hang(self) -> int:
        """Answer only when the receiver ends; for `answer`."""
        self.ending.wait()
        return 503

    def ids(self) -> list[str]:
        """The ids of what was acknowledged, each once, in the order of its first time."""
        with self.changed:
            return list(dict.fromkeys(each.headers["webhook-id"] for each in self.acknowledged))


@contextmanager
def receiving(
    answer: Callable[[Message], Status] = lambda _message: 200, *, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Run a receiver; `answer` gives the status of each message, or that with headers."""
    receiver = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.take(Message(self.path, headers, self.rfile.read(length)))
            code, more = status if isinstance(status, tuple) else (status, {})
            self.send_response(code)
            for name, value in {**more, "content-length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        # Whoever was killed in the middle is no fault of the receiver.
        handle_error = lambda *_arguments: None  # noqa: E731 - one line, one fact

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()
