"""The search for the master that owns a slot, among nodes that answer as a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import hiredis
import pytest
from redis.asyncio.connection import ConnectionPool
from redis.crc import key_slot
from redis.exceptions import MovedError

from cache.errors import CacheMisconfigured, CacheUnavailable
from cache.redis_cluster import ASKED_AT_ONCE, ClusterNodes

pytestmark = pytest.mark.anyio

KEY = "checker:{checker:list}:"
SLOT = key_slot(KEY.encode())
HOST = "127.0.0.1"
OWNER = (b"owner", 7001)
OTHER = (b"other", 7002)


def slots(owner: tuple[bytes, int], first: int = 0, last: int = SLOT) -> bytes:
    """Return the reply of a node by which this server owns a range of slots."""
    host, port = owner
    return b"*1\r\n*3\r\n:%d\r\n:%d\r\n*3\r\n$%d\r\n%s\r\n:%d\r\n$2\r\nid\r\n" % (
        first,
        last,
        len(host),
        host,
        port,
    )


class Nodes:
    """Nodes, each of which answers the question with a reply of its own."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.addresses: list[tuple[str, int]] = []

    @asynccontextmanager
    async def running(self, *replies: bytes) -> AsyncIterator["Nodes"]:
        servers = []
        for number, reply in enumerate(replies):
            server = await asyncio.start_server(self._serve(number, reply), HOST, 0)
            servers.append(server)
            self.addresses.append((HOST, server.sockets[0].getsockname()[1]))
        try:
            yield self
        finally:
            for server in servers:
                server.close()

    def _serve(self, number: int, reply: bytes):
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            commands = hiredis.Reader()
            while chunk := await reader.read(4096):
                commands.feed(chunk)
                while command := commands.gets():
                    is_asked = command[0] == b"CLUSTER"
                    if is_asked:
                        self.asked.append(number)
                    writer.write(reply if is_asked else b"+OK\r\n")
            writer.close()

        return serve

    def search(self, *more: tuple[str, int]) -> ClusterNodes:
        pool = ConnectionPool.from_url(f"redis://{HOST}", protocol=2)
        return ClusterNodes((*more, *self.addresses), pool, KEY)


class Servers:
    """The servers to which a search connects. Only the true owner lets it."""

    def __init__(self) -> None:
        self.tried: list[tuple[str, int]] = []

    async def connect(self, host: str, port: int) -> "Servers":
        self.tried.append((host, port))
        if (host.encode(), port) not in {OWNER, (HOST.encode(), 7001)}:
            raise MovedError(f"{SLOT} owner:7001")
        return self


async def test_the_server_that_a_node_names_is_used() -> None:
    servers = Servers()
    async with Nodes().running(slots(OWNER)) as nodes:
        assert await nodes.search().connect_to_owner(servers.connect) is servers
    assert servers.tried == [("owner", 7001)]


async def test_a_node_that_is_away_is_no_hindrance() -> None:
    servers = Servers()
    async with Nodes().running(slots(OWNER)) as nodes:
        assert await nodes.search((HOST, 1)).connect_to_owner(servers.connect) is servers


async def test_a_server_that_several_nodes_name_is_connected_to_once() -> None:
    servers = Servers()
    async with Nodes().running(slots(OWNER), slots(OWNER), slots(OWNER)) as nodes:
        await nodes.search().connect_to_owner(servers.connect)
    assert servers.tried == [("owner", 7001)]


@pytest.mark.parametrize("replies", [(OTHER, OWNER), (OWNER, OTHER)])
async def test_a_node_that_names_an_old_owner_does_no_harm(replies) -> None:
    servers = Servers()
    async with Nodes().running(*map(slots, replies)) as nodes:
        assert await nodes.search().connect_to_owner(servers.connect) is servers


async def test_without_a_server_that_owns_the_slot_the_search_fails() -> None:
    async with Nodes().running(slots(OTHER)) as nodes:
        with pytest.raises(MovedError):
            await nodes.search().connect_to_owner(Servers().connect)


async def test_one_search_asks_three_nodes_and_the_next_search_asks_others() -> None:
    count = 2 * ASKED_AT_ONCE
    async with Nodes().running(*([slots(OTHER)] * count)) as nodes:
        search = nodes.search()
        for asked in (range(ASKED_AT_ONCE), range(ASKED_AT_ONCE, count)):
            nodes.asked.clear()
            with pytest.raises(MovedError):
                await search.connect_to_owner(Servers().connect)
            assert sorted(nodes.asked) == [*asked]


async def test_a_node_that_does_not_know_its_own_address_is_the_one_that_was_asked() -> None:
    servers = Servers()
    async with Nodes().running(slots((b"", 7001))) as nodes:
        await nodes.search().connect_to_owner(servers.connect)
    assert servers.tried == [(HOST, 7001)]


@pytest.mark.parametrize(
    "reply",
    [
        slots(OWNER, SLOT + 1, SLOT + 2),  # the slot has no master
        b"*0\r\n",
        b"+nonsense\r\n",
        b":1\r\n",
        b"*1\r\n*1\r\n:0\r\n",
    ],
)
async def test_a_reply_without_an_owner_is_an_outage(reply: bytes) -> None:
    async with Nodes().running(reply) as nodes:
        with pytest.raises(CacheUnavailable):
            await nodes.search().connect_to_owner(Servers().connect)


async def test_a_server_that_is_no_cluster_is_called_so() -> None:
    refusal = b"-ERR This instance has cluster support disabled\r\n"
    async with Nodes().running(refusal) as nodes:
        with pytest.raises(CacheMisconfigured, match="redis://"):
            await nodes.search().connect_to_owner(Servers().connect)
