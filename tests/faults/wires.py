"""A wire between one node and one store: it delays, cuts, corrupts, loses, or springs a trap.

Each wire is a proxy on 127.0.0.1 before the Unix socket of a server. All wires share one thread
with a loop of its own, so a wire lives as long as a test wants.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults.pacing import pause

CHUNK_BYTES = 65_536


@dataclass
class Trap:
    """Springs once, at the first command with `pattern`, or at the reply to that command.

    `spring` is called with the port of the node's end; then the connection is cut.
    """

    pattern: bytes
    spring: Callable[[int], None]
    at_reply: bool = False
    sprung: threading.Event = field(default_factory=threading.Event)


@dataclass
class Wire:
    """One wire. A fault is set by its field, and ends when the field is reset."""

    socket: Path
    draw: Random
    port: int = 0
    delay_s: float = 0.0
    is_silent: bool = False
    is_refused: bool = False
    cut_share: float = 0.0
    corrupt_share: float = 0.0
    trap: Trap | None = None
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def heal(self) -> None:
        """End every fault of this wire."""
        self.delay_s = self.cut_share = self.corrupt_share = 0.0
        self.is_silent = self.is_refused = False
        self.trap = None

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the node."""
        ends = {writer}
        try:
            if self.is_refused:
                return
            store_reader, store_writer = await asyncio.open_unix_connection(str(self.socket))
            ends.add(store_writer)
            self._ends |= ends
            line = _Line(self, writer.get_extra_info("peername")[1])
            async with asyncio.TaskGroup() as group:
                group.create_task(line.carry(reader, store_writer, to_store=True))
                group.create_task(line.carry(store_reader, writer, to_store=False))
        except* (OSError, _Cut):
            pass
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    def cut_all(self) -> None:
        """Cut all connections; must run in the loop of the wires."""
        for end in list(self._ends):
            end.transport.abort()


class _Cut(Exception):
    """The connection ends here, in both directions."""


@dataclass
class _Line:
    wire: Wire
    node_port: int
    must_spring: Trap | None = None

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_store: bool
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._meet_trap(chunk, to_store=to_store)
            wire = self.wire
            while wire.is_silent:
                # TCP sends lost bytes again, when the network is back.
                await pause(0.02)
            if wire.delay_s:
                await pause(wire.delay_s)
            if wire.draw.random() < wire.corrupt_share:
                at = wire.draw.randrange(len(chunk))
                chunk = (
                    chunk[:at] + bytes([chunk[at] ^ 1 << wire.draw.randrange(8)]) + chunk[at + 1 :]
                )
            if wire.is_refused or wire.draw.random() < wire.cut_share:
                writer.write(chunk[: len(chunk) // 2])
                raise _Cut
            writer.write(chunk)
            await writer.drain()
        raise _Cut

    async def _meet_trap(self, chunk: bytes, *, to_store: bool) -> None:
        trap = self.wire.trap
        if trap is not None and to_store and trap.pattern in chunk:
            self.wire.trap = None
            self.must_spring = trap
            if not trap.at_reply:
                await self._spring(trap)
        elif self.must_spring is not None and not to_store:
            await self._spring(self.must_spring)

    async def _spring(self, trap: Trap) -> None:
        await asyncio.to_thread(trap.spring, self.node_port)
        trap.sprung.set()
        raise _Cut


class Wires:
    """All wires of a test, and their loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._servers: list[asyncio.Server] = []

    def add(self, socket: Path, seed: int) -> Wire:
        """Open a wire before the server at `socket`, which need not run yet."""
        wire = Wire(socket, Random(seed))
        serving = asyncio.start_server(wire.connected, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        wire.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)
        return wire

    def cut(self, wire: Wire) -> None:
        """Cut all connections of a wire, as they are."""
        self._loop.call_soon_threadsafe(wire.cut_all)

    def close(self) -> None:
        """Close all wires, and end the loop."""
        asyncio.run_coroutine_threadsafe(self._end_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _end_all(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def wires() -> Iterator[Wires]:
    """Run the loop of the wires in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="wires")
    thread.start()
    opened = Wires(loop)
    try:
        yield opened
    finally:
        opened.close()
        thread.join()
        loop.close()
