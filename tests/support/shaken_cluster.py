"""A Redis cluster of a test's own: three masters with a replica each, and what may befall it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis.crc import key_slot
from redis.exceptions import RedisError

from cache.keys import KeyFamily, stem_of
from checker.embedded.redis import usual_programs
from tests.support.cluster_server import ClusterServer
from tests.support.running_service import wait_until

MASTERS = 3
SLOTS = 16_384
KEYS_AT_ONCE = 20
MIGRATE_MS = 5_000
TURNS = 5


def slot_of(key: str) -> int:
    """Return the slot of a key."""
    return key_slot(key.encode())


LIST_SLOT = slot_of(stem_of("checker", KeyFamily.LIST, in_cluster=True))


class ShakenCluster:
    """All servers, and the URL by which a service finds them."""

    def __init__(self, servers: list[ClusterServer]) -> None:
        self.servers = servers
        hosts = ",".join(f"127.0.0.1:{server.service_port}" for server in servers)
        self.url = f"redis+cluster://{hosts}/"

    def running(self) -> list[ClusterServer]:
        return [server for server in self.servers if server.is_running]

    def masters(self) -> list[ClusterServer]:
        """Return the running servers that are masters by their own word."""
        return [each for each in self.running() if each.facts("replication")["role"] == "master"]

    def owner(self, slot: int = LIST_SLOT) -> ClusterServer:
        """Return the master that owns a slot by the word of all running servers."""
        found: list[ClusterServer] = []

        def agree() -> bool:
            named = {self._owner_by(server, slot) for server in self.running()}
            found[:] = [each for each in self.running() if {each.port} == named]
            return bool(found)

        wait_until(agree)
        return found[0]

    def is_whole(self) -> bool:
        """Return whether all servers agree that every slot has a master, and each a replica."""
        for server in self.servers:
            try:
                if "cluster_state:ok" not in str(server.ask("CLUSTER INFO")).split():
                    return False
                facts = server.facts("replication")
            except (RedisError, OSError):
                return False
            link = facts.get("master_link_status", "up")
            if link != "up" or (facts["role"] == "master" and facts["connected_slaves"] == 0):
                return False
        return True

    @contextmanager
    def owner_killed(self, slot: int = LIST_SLOT) -> Iterator[None]:
        """Kill the owner of a slot; at the end its replica leads, and it follows."""
        killed = self.owner(slot)
        killed.kill()
        try:
            wait_until(lambda: self._is_led_by_another(killed, slot))
            yield
        finally:
            killed.start()
            wait_until(self.is_whole)

    @contextmanager
    def owner_frozen(self) -> Iterator[None]:
        """Freeze the owner of the list until its replica leads; then it goes on as it was."""
        old = self.owner()
        with old.frozen():
            wait_until(lambda: self._is_led_by_another(old, LIST_SLOT))
        yield
        wait_until(self.is_whole)

    @contextmanager
    def failed_over(self) -> Iterator[None]:
        """Let the replica take over in peace, as before the owner's machine is renewed."""
        old = self.owner()
        replica = self.replica_of(old)
        replica.ask("CLUSTER FAILOVER")
        wait_until(lambda: self.owner() is replica)
        yield
        wait_until(self.is_whole)

    @contextmanager
    def half_moved(self) -> Iterator[None]:
        """Hold the slot of the list half moved to another master; then move it all, and back."""
        source = self.owner()
        target = next(each for each in self.masters() if each is not source)
        with self.moving(LIST_SLOT, source, target):
            yield
        self.move(LIST_SLOT, target, source)

    @contextmanager
    def moved_to_and_fro(self) -> Iterator[None]:
        """Move the slot of the list to another master and back, again and again."""
        source = self.owner()
        target = next(each for each in self.masters() if each is not source)
        for _ in range(TURNS):
            self.move(LIST_SLOT, source, target)
            self.move(LIST_SLOT, target, source)
        yield

    @contextmanager
    def moved_at_once(self) -> Iterator[None]:
        """Move the slot of the list in one step to another master, and back (Valkey 9)."""
        source = self.owner()
        target = next(each for each in self.masters() if each is not source)
        self._move_at_once(source, target)
        yield
        self._move_at_once(target, source)

    def move(self, slot: int, source: ClusterServer, target: ClusterServer) -> None:
        """Move one slot key by key."""
        with self.moving(slot, source, target):
            pass

    @contextmanager
    def moving(self, slot: int, source: ClusterServer, target: ClusterServer) -> Iterator[None]:
        """Move one slot as `redis-cli --cluster reshard` does; halfway the body runs."""
        target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id())
        source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id())
        count = int(source.ask("CLUSTER COUNTKEYSINSLOT", slot))
        _migrate(slot, source, target, keep=count // 2)
        try:
            yield
        finally:
            _migrate(slot, source, target, keep=0)
            for server in (target, source):
                server.ask("CLUSTER SETSLOT", slot, "NODE", target.id())
            wait_until(lambda: self.owner(slot) is target)

    def _move_at_once(self, source: ClusterServer, target: ClusterServer) -> None:
        wanted = ("SLOTSRANGE", LIST_SLOT, LIST_SLOT, "NODE", target.id())
        source.ask("CLUSTER MIGRATESLOTS", *wanted)
        wait_until(lambda: self.owner() is target)

    def _is_led_by_another(self, old: ClusterServer, slot: int) -> bool:
        others = [server for server in self.running() if server is not old]
        return old.port not in {self._owner_by(each, slot) for each in others}

    def replica_of(self, master: ClusterServer) -> ClusterServer:
        """Return the replica of a master."""
        [found] = [
            each
            for each in self.running()
            if each.facts("replication").get("master_port") == master.port
        ]
        return found

    @staticmethod
    def _owner_by(server: ClusterServer, slot: int) -> int | None:
        for first, last, master, *_ in server.ask("CLUSTER SLOTS"):
            if int(first) <= slot <= int(last):
                return int(master[1])
        return None


@contextmanager
def shaken_cluster(
    folder: Path,
    *,
    replicas: int = 1,
    program: Path | None = None,
    options: tuple[str, ...] = (),
    tls: Path | None = None,
) -> Iterator[ShakenCluster]:
    """Run three masters, each with so many replicas. `program`: the usual one is the default."""
    started = str(program or next(usual_programs()))
    with ExitStack() as stack:
        servers = []
        for _ in range(MASTERS * (1 + replicas)):
            servers.append(ClusterServer(folder, started, options, tls))
            stack.callback(servers[-1].kill)
        cluster = ShakenCluster(servers)
        _join(servers)
        if replicas:
            wait_until(cluster.is_whole)
        yield cluster


def _join(servers: list[ClusterServer]) -> None:
    """Divide the slots among the first servers, and let the others follow them."""
    first, *_ = servers
    edges = [round(SLOTS / MASTERS * n) for n in range(MASTERS + 1)]
    for number, server in enumerate(servers):
        server.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
        if number < MASTERS:
            slots = range(edges[number], edges[number + 1])
            server.ask("CLUSTER ADDSLOTS", *slots)
        if server is not first:
            server.ask("CLUSTER MEET", "127.0.0.1", first.service_port)
    ids = {server.id() for server in servers}

    def all_know_all() -> bool:
        known = [str(server.ask("CLUSTER NODES")) for server in servers]
        return all(each in text for text in known for each in ids)

    wait_until(all_know_all)
    for number, server in enumerate(servers[MASTERS:]):
        server.ask("CLUSTER REPLICATE", servers[number % MASTERS].id())
    wait_until(lambda: all("cluster_state:ok" in str(s.ask("CLUSTER INFO")) for s in servers))


def _migrate(slot: int, source: ClusterServer, target: ClusterServer, *, keep: int) -> None:
    """Move keys of a slot until the source holds no more than `keep`."""
    while (left := int(source.ask("CLUSTER COUNTKEYSINSLOT", slot)) - keep) > 0:
        keys = source.ask("CLUSTER GETKEYSINSLOT", slot, min(KEYS_AT_ONCE, left))
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, MIGRATE_MS, "KEYS", *keys)
