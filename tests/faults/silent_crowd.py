"""Callers without a key that hold connections open and say nothing more."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.support.running_service import RunningService

CROWD = 1_100
"""More than the 1 024 connections at which the door was shut once."""

_FILES_NEEDED = 2 * CROWD + 512
_ANSWER_S = 20.0

IDLE = b"GET /healthz HTTP/1.1\r\nhost: checker\r\n\r\n"
FILING_WITHOUT_BODY = (
    b"POST /v1/corrections HTTP/1.1\r\nhost: checker\r\n"
    b"content-type: application/json\r\ncontent-length: 200\r\n\r\n"
)


@contextmanager
def crowd(service: RunningService, said: bytes, *, answered: bool) -> Iterator[list[socket.socket]]:
    """Hold `CROWD` connections that have said `said`; `answered`: each has read an answer too."""
    _take_files()
    with ExitStack() as held:
        connections = []
        for _ in range(CROWD):
            connection = socket.create_connection(service.address, timeout=_ANSWER_S)
            connections.append(held.enter_context(connection))
            connection.sendall(said)
            if answered:
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        yield connections


def last_words(connection: socket.socket) -> bytes:
    """Read a connection until the server has closed it."""
    words = b""
    while part := connection.recv(65_536):
        words += part
    return words


def _take_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES_NEEDED:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES_NEEDED, hard))
