"""Callers without a key who hold connections open: some say nothing, some send a byte a second.

    python -m loadtest.silent_crowd PORT IDLE SLOW

Prints `ready` once all have connected, and holds the connections until standard input is closed. A
slow sender whose connection is closed connects again; an idle one does not.
"""

import asyncio
import resource
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

import uvloop

_HEAD: Final = b"POST /v1/checks HTTP/1.1\r\nHost: crowd\r\nX-Slow: " + b"x" * 4096
_BYTE_EVERY_S: Final = 1.0
_AGAIN_AFTER_S: Final = 1.0
_AT_ONCE: Final = 64


def take_files() -> None:
    """Let this process open as many files as the machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def idle(port: int, turns: asyncio.Semaphore, connected: asyncio.Event) -> None:
    """Connect once, and hold the connection until the server closes it."""
    writer = None
    try:
        async with turns:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    finally:
        connected.set()
    with suppress(OSError):
        await reader.read()
    writer.close()


async def slow(port: int, turns: asyncio.Semaphore, connected: asyncio.Event) -> None:
    """Send the head of a request byte by byte, again and again."""
    while True:
        try:
            async with turns:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            connected.set()
            for byte in _HEAD:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(_BYTE_EVERY_S)
        except OSError:
            connected.set()
        await asyncio.sleep(_AGAIN_AFTER_S)


async def hold(port: int, idlers: int, senders: int) -> None:
    """Hold a crowd until standard input is closed."""
    turns = asyncio.Semaphore(_AT_ONCE)
    members: list[asyncio.Task[None]] = []
    arrivals: list[Coroutine[Any, Any, Any]] = []
    for member, count in ((idle, idlers), (slow, senders)):
        for _ in range(count):
            connected = asyncio.Event()
            members.append(asyncio.create_task(member(port, turns, connected)))
            arrivals.append(connected.wait())
    await asyncio.gather(*arrivals)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in members:
        task.cancel()


if __name__ == "__main__":
    take_files()
    uvloop.run(hold(*map(int, sys.argv[1:4])))
