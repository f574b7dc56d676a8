"""A postman keeps its connections for the next messages, and replaces one that was closed."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import httpx
import pytest

from checker.notices.endpoint import EndpointRules
from checker.notices.post import Posted, open_postman

pytestmark = pytest.mark.anyio

OPEN = EndpointRules(allow_http=True, allow_private_addresses=True)
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """Counts connections; answers each message once `together` messages are under way."""

    def __init__(self, *, together: int = 1, hangs_up: bool = False) -> None:
        self.connections = 0
        self._together = asyncio.Barrier(together)
        self._hangs_up = hangs_up
        self.hung_up = asyncio.Semaphore(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"{}"):
                await self._together.wait()
                writer.write(ANSWER)
                if self._hangs_up:
                    return
        except asyncio.IncompleteReadError:
            pass  # the postman has closed the connection
        finally:
            writer.close()
            await writer.wait_closed()
            self.hung_up.release()


@asynccontextmanager
async def postman_of(receiver):
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = httpx.URL(f"http://127.0.0.1:{port}/")
    async with open_postman(url, OPEN, ssl.create_default_context()) as postman:
        yield postman
    server.close()


async def test_messages_one_after_the_other_share_a_connection():
    receiver = Receiver()
    async with postman_of(receiver) as postman:
        for _ in range(3):
            assert await postman.post("{}", {}) == Posted()
    assert receiver.connections == 1


async def test_messages_at_the_same_time_have_a_connection_each_and_keep_it():
    receiver = Receiver(together=4)
    async with postman_of(receiver) as postman:
        for _ in range(3):
            posted = await asyncio.gather(*(postman.post("{}", {}) for _ in range(4)))
            assert posted == [Posted()] * 4
    assert receiver.connections == 4


async def test_a_connection_that_the_receiver_has_closed_is_replaced():
    receiver = Receiver(hangs_up=True)
    async with postman_of(receiver) as postman:
        for _ in range(3):
            assert await postman.post("{}", {}) == Posted()
            await receiver.hung_up.acquire()
    assert receiver.connections == 3
