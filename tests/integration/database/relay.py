"""A line to PostgreSQL that a test can cut without a word: it then carries nothing, either way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_CHUNK_BYTES = 1 << 16


class Relay:
    """Carries bytes between a socket of its own and the server's, each connection in two threads.

    `begun` counts the connections since the last cut.
    """

    def __init__(self, listening: socket.socket, server_socket: str) -> None:
        self.begun = 0
        self._listening = listening
        self._server_socket = server_socket
        self._changing = threading.Lock()
        self._carries = threading.Event()
        self._carries.set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def cut(self) -> None:
        """Carry nothing from now on; connections are still taken."""
        self._carries.clear()
        with self._changing:
            self.begun = 0

    def mend(self) -> None:
        """Carry again."""
        self._carries.set()

    def accept(self) -> None:
        """Take connections until the listening socket is shut."""
        with suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self._server_socket)
                with self._changing:
                    self._sockets += [here, there]
                    self.begun += 1
                self._start(self._carry, here, there)
                self._start(self._carry, there, here)

    def close(self) -> None:
        """End all connections and threads."""
        self.mend()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for each in [*self._sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in [*self._threads]:
            thread.join()
        for each in self._sockets:
            each.close()

    def start(self) -> None:
        """Take connections in a thread."""
        self._start(self.accept)

    def _start(self, work: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                self._carries.wait()
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay_to(database_url: str, folder: Path) -> Iterator[tuple[Relay, str]]:
    """Give a relay to the server of a URL, and the URL of the same database by way of it."""
    parts = urlsplit(database_url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    name = f".s.PGSQL.{query['port']}"
    by_relay = f"{parts.scheme}://postgres@{parts.path}?host={folder}&port={query['port']}"
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(folder / name))
        listening.listen()
        with closing(Relay(listening, str(Path(query["host"]) / name))) as relay:
            relay.start()
            yield relay, by_relay
