"""The table of faults: what befalls the stand, and what must hold meanwhile and afterwards.

Each fault is a context: it begins when the context is entered, and is mended when it is left.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from random import Random
from time import monotonic, time

import httpx
import psutil

from tests.faults.faulty_service import frozen
from tests.faults.publisher_moments import MOMENTS, publisher_dies
from tests.faults.registers import Entry
from tests.faults.two_node_stand import Stand, faketime_library
from tests.faults.wires import Wire
from tests.support.running_service import RunningService, run_command, wait_until

SLOW_S = 0.2
LAGGING_S = 0.5
HOUR_S = 3600
CORRUPT_SHARE = 0.05
CLOCK_ERROR_S = 10.0

RENEWED = 'all processes are replaced"'

Inject = Callable[[Stand], AbstractContextManager[None]]


@dataclass(frozen=True)
class FaultRow:
    """One fault, and its bounds.

    `share_min` is the least share of innocents that must be answered within a second, from the
    beginning of the fault to the recovery. `recovery_s_max` counts from the mending. `is_lossless`:
    every request of every caller is answered. `note` is a shortfall that is known and meant.
    """

    name: str
    inject: Inject
    share_min: float = 0.0
    recovery_s_max: float = 10.0
    is_lossless: bool = False
    note: str = ""


def _slow_redis(stand: Stand) -> Sequence[Wire]:
    wires = [node.to_redis for node in stand.nodes]
    for wire in wires:
        wire.delay_s = SLOW_S
    return wires


def _bad_lines(stand: Stand, of_store: str) -> Sequence[Wire]:
    """Delay, cut and lose on the way to one store."""
    wires: list[Wire] = [getattr(node, of_store) for node in stand.nodes]
    for wire in wires:
        wire.delay_s, wire.cut_share = 0.005, 0.02
    return wires


def _corrupt(stand: Stand) -> Sequence[Wire]:
    wires = [node.to_redis for node in stand.nodes]
    for wire in wires:
        wire.corrupt_share = CORRUPT_SHARE
    return wires


def _cut_off(of_store: str, node: int, stand: Stand) -> Sequence[Wire]:
    wire: Wire = getattr(stand.nodes[node], of_store)
    wire.is_silent = True
    return [wire]


def _refused(of_store: str, node: int, stand: Stand) -> Sequence[Wire]:
    wire: Wire = getattr(stand.nodes[node], of_store)
    wire.is_refused = True
    stand.lines.cut(wire)
    return [wire]


def on_wires(set_fault: Callable[[Stand], Sequence[Wire]]) -> Inject:
    """Return a fault of wires, which are healed at its end."""

    @contextmanager
    def inject(stand: Stand) -> Iterator[None]:
        wires = set_fault(stand)
        try:
            yield
        finally:
            for wire in wires:
                wire.heal()

    return inject


@contextmanager
def _restarted_with_old_dump(stand: Stand) -> Iterator[None]:
    stand.redis.save()
    before = stand.load.seen.changes
    wait_until(lambda: stand.load.seen.changes > before + 3)
    stand.redis.restart()
    yield
    (stand.redis.folder / "dump.rdb").unlink()


@contextmanager
def _failed_over_to_lagging(stand: Stand) -> Iterator[None]:
    """Let a replica lead that has followed until a moment ago; the primary is gone for good."""
    with ExitStack() as stack:
        replica = stack.enter_context(stand.redis.following())
        with replica.client() as client:
            client.replicaof("NO", "ONE")
        before = stand.load.seen.changes
        wait_until(lambda: stand.load.seen.changes > before + 3)
        for node in stand.nodes:
            node.to_redis.socket = replica.socket
        stand.redis.end()
        for node in stand.nodes:
            stand.lines.cut(node.to_redis)
        yield
        # Back to the first address, which is empty by now: as one more failover.
        (stand.redis.folder / "dump.rdb").unlink(missing_ok=True)
        stand.redis.start()
        for node in stand.nodes:
            node.to_redis.socket = stand.redis.socket
            stand.lines.cut(node.to_redis)


@contextmanager
def _restored(stand: Stand) -> Iterator[None]:
    """Restore a copy of the database; the courts send again what they lost, and it is accepted."""
    load = stand.load
    load.rest()
    held = {register.number: register.last for register in load.registers}
    stand.postgres.copy()
    copied_at = monotonic()
    load.change_only(LAGGING_S)
    lost = [each for each in load.registers if each.last is not held[each.number]]
    assert lost
    restored_at = monotonic()
    for register in lost:
        register.entries.append(Entry(held[register.number].listing_id, restored_at))
    stand.postgres.restore()
    load.seen.forget_between(copied_at, monotonic())
    try:
        load.go_on(lost=lost)
    finally:
        # Nobody is answered by the older list before an operator accepts it.
        wait_until(lambda: _is_older_accepted(stand.nodes[0].service))
    yield


def _is_older_accepted(service: RunningService) -> bool:
    return run_command(service.data_dir, "accept-older", named=service.named).returncode == 0


@contextmanager
def _worker_dies_in_a_batch(stand: Stand) -> Iterator[None]:
    worker = stand.nodes[0].listener()
    assert worker is not None
    before = stand.load.seen.batches
    wait_until(lambda: stand.load.seen.batches > before)
    worker.kill()
    yield


@contextmanager
def _node_frozen(stand: Stand) -> Iterator[None]:
    with frozen(*stand.nodes[1].processes()):
        yield


@contextmanager
def _renewed(stand: Stand) -> Iterator[None]:
    """Replace all processes of one node, and then of the other, as a new release does."""
    for node in stand.nodes:
        before = node.service.log().count(RENEWED)
        psutil.Process(node.service.pid).send_signal(signal.SIGHUP)
        wait_until(lambda node=node, before=before: node.service.log().count(RENEWED) > before)
    yield


@contextmanager
def _clock_steps(seconds: int, stand: Stand) -> Iterator[None]:
    """Step the clock of one node, and back again. No order is placed far from the true time."""
    if abs(seconds) > CLOCK_ERROR_S:
        stand.load.rest_clerks()
    stand.clock_file.write_text(f"{seconds:+d}", encoding="ascii")
    wait_until(lambda: abs(_ahead_s(stand) - seconds) < min(abs(seconds) / 2, CLOCK_ERROR_S))
    try:
        yield
    finally:
        stand.clock_file.write_text("+0", encoding="ascii")
        wait_until(lambda: abs(_ahead_s(stand)) < CLOCK_ERROR_S)
        stand.load.go_on(lost=[])


def _ahead_s(stand: Stand) -> float:
    """Return how far the clock of the first node is ahead, by the `Date` of its answers."""
    answer = httpx.get(f"{stand.nodes[0].service.url}/healthz")
    return parsedate_to_datetime(answer.headers["date"]).timestamp() - time()


FAULTS: tuple[FaultRow, ...] = (
    FaultRow("nothing", on_wires(lambda _stand: ()), 0.99),
    FaultRow("Redis killed", lambda stand: stand.redis.dead(), 0.99),
    FaultRow("Redis frozen", lambda stand: stand.redis.frozen(), 0.99),
    FaultRow("Redis 200 ms slow", on_wires(_slow_redis), 0.99),
    FaultRow("Redis emptied", lambda stand: stand.redis.emptied(), 0.99),
    FaultRow(
        "half of all buckets and filter parts deleted",
        lambda stand: stand.redis.parts_lost(Random(stand.seed)),
        0.99,
    ),
    FaultRow("Redis read-only", lambda stand: stand.redis.read_only(), 0.99),
    FaultRow("Redis out of memory", lambda stand: stand.redis.out_of_memory(), 0.99),
    FaultRow("Redis restarted empty", lambda stand: stand.redis.restarted_with_nothing(), 0.99),
    FaultRow("Redis restarted with an old dump", _restarted_with_old_dump, 0.99),
    FaultRow("Redis failed over to a lagging replica, and again", _failed_over_to_lagging, 0.99),
    FaultRow(
        "the lines to Redis delay and cut", on_wires(partial(_bad_lines, of_store="to_redis")), 0.99
    ),
    FaultRow("the lines to Redis corrupt", on_wires(_corrupt), 0.99),
    FaultRow("one node cut off from Redis", on_wires(partial(_cut_off, "to_redis", 0)), 0.99),
    FaultRow("the other node refused by Redis", on_wires(partial(_refused, "to_redis", 1)), 0.99),
    FaultRow("PostgreSQL killed", lambda stand: stand.postgres.dead()),
    FaultRow("PostgreSQL frozen", lambda stand: stand.postgres.frozen()),
    FaultRow(
        "PostgreSQL out of connections", lambda stand: stand.postgres.own.connections_used_up()
    ),
    FaultRow(
        "a table of PostgreSQL locked by somebody else",
        lambda stand: stand.postgres.locked("listing"),
    ),
    FaultRow("PostgreSQL's disk full", lambda stand: stand.postgres.full(stand.volume)),
    FaultRow("PostgreSQL restored to an older state", _restored),
    FaultRow(
        "the lines to PostgreSQL delay and cut",
        on_wires(partial(_bad_lines, of_store="to_postgres")),
    ),
    FaultRow("one node cut off from PostgreSQL", on_wires(partial(_cut_off, "to_postgres", 0))),
    FaultRow("the other node refused by PostgreSQL", on_wires(partial(_refused, "to_postgres", 1))),
    FaultRow("both nodes renewed, one after the other", _renewed, 0.99, is_lossless=True),
    FaultRow("a worker killed in a batch", _worker_dies_in_a_batch),
    FaultRow("all processes of a node frozen", _node_frozen),
    *(
        FaultRow(
            f"the publisher killed {moment.name}",
            partial(publisher_dies, moment=moment),
            0.99,
            recovery_s_max=20.0,
        )
        for moment in MOMENTS
    ),
    *(
        (
            FaultRow("the clock of one node 6 s ahead, then back", partial(_clock_steps, 6)),
            FaultRow("the clock of one node 6 s behind, then back", partial(_clock_steps, -6)),
            FaultRow(
                "the clock of one node an hour ahead, then back",
                partial(_clock_steps, HOUR_S),
                note="an authorization that was moved in that hour takes no further move until "
                "the true time has come to it (docs/decisions/0025)",
            ),
            FaultRow(
                "the clock of one node an hour behind, then back",
                partial(_clock_steps, -HOUR_S),
                note="that node refuses moves of authorizations that others have made",
            ),
        )
        if faketime_library() is not None
        else ()
    ),
)
"""In this order. A fault that is not named here is not tested."""
