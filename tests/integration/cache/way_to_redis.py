"""A way to Redis on which a test may interfere: it hears what goes there and may lose what is said.

A restart from an older file is played by a second server: what the first one holds is copied there
at one moment, and from another moment on the way leads there.
"""

import asyncio
from contextlib import asynccontextmanager, suppress

CHUNK_BYTES = 1 << 20


class Way:
    """Carries commands to the server on `socket`, and its replies back."""

    def __init__(self, socket):
        self.socket = socket
        self.loses_next_reply = False
        self.hear = None
        self.url = ""
        self._under_way = set()

    async def __call__(self, reader, writer):
        task = asyncio.current_task()
        self._under_way.add(task)
        from_redis, to_redis = await asyncio.open_unix_connection(self.socket)
        asking = asyncio.create_task(self._carry_commands(reader, to_redis))
        try:
            with suppress(asyncio.CancelledError):
                await self._carry_replies(from_redis, writer)
        finally:
            asking.cancel()
            to_redis.close()
            writer.close()
            self._under_way.discard(task)

    async def lead_to(self, socket):
        """End all connections; new ones go there."""
        self.socket = socket
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _carry_replies(self, from_redis, writer):
        while data := await from_redis.read(CHUNK_BYTES):
            if self.loses_next_reply:
                self.loses_next_reply = False
                return
            writer.write(data)

    async def _carry_commands(self, reader, to_redis):
        while data := await reader.read(CHUNK_BYTES):
            if self.hear is not None:
                await self.hear(data)
            to_redis.write(data)


@asynccontextmanager
async def way_to(ground):
    """Open a way to a ground's server."""
    way = Way(socket_of(ground))
    server = await asyncio.start_server(way, "127.0.0.1", 0)
    async with server:
        way.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield way
        await way.lead_to(way.socket)


def socket_of(ground):
    return ground.url.removeprefix("unix://")


def copy_to(source, target):
    """Let one ground's Redis hold exactly what another's does."""
    target.client.flushall()
    for key in source.client.scan_iter():
        target.client.restore(key, 0, source.client.dump(key))
