"""The bounds of connections: whose connection gives way to whom."""

import msgspec
import pytest

from checker.serving.connections import ConnectionLimits, Connections

LIMITS = ConnectionLimits(connections_max=16, header_timeout_s=5.0, idle_timeout_s=30.0)


class Peer:
    """A connection that notes what happens to it."""

    def __init__(self, address: str = "192.0.2.1", *, is_waiting: bool = True) -> None:
        self.address = address
        self.is_waiting = is_waiting
        self.was_aborted = False
        self.looks = 0

    def look(self) -> None:
        self.looks += 1

    def abort(self) -> None:
        self.was_aborted = True


def admitted(connections: Connections, *peers: Peer) -> list[Peer]:
    for peer in peers:
        connections.admit(peer)
    return list(peers)


def test_the_oldest_of_an_address_that_waits_gives_way() -> None:
    connections = Connections(LIMITS)
    busy, old, *rest = admitted(
        connections, Peer(is_waiting=False), *(Peer() for _ in range(LIMITS.address_max))
    )
    assert (busy.was_aborted, old.was_aborted) == (False, True)
    assert not [peer for peer in rest if peer.was_aborted]
    assert len(connections) == LIMITS.address_max


def test_the_oldest_without_a_key_gives_way_whatever_its_address() -> None:
    connections = Connections(LIMITS)
    peers = admitted(connections, *(Peer(str(n)) for n in range(LIMITS.keyless_max + 3)))
    assert [peer.was_aborted for peer in peers] == [True] * 3 + [False] * LIMITS.keyless_max


def test_a_connection_with_a_key_gives_way_to_nobody_without_one() -> None:
    connections = Connections(LIMITS)
    (known,) = admitted(connections, Peer())
    connections.trust(known)
    admitted(connections, *(Peer() for _ in range(100)), *(Peer(str(n)) for n in range(100)))
    assert not known.was_aborted
    assert len(connections) == LIMITS.keyless_max + 1


def test_where_all_have_keys_the_oldest_that_waits_gives_way() -> None:
    connections = Connections(LIMITS)
    known = admitted(connections, *(Peer(str(n)) for n in range(LIMITS.connections_max)))
    survivors = [peer for peer in known if not peer.was_aborted]
    for peer in survivors:
        connections.trust(peer)
    while len(connections) < LIMITS.connections_max:
        (peer,) = admitted(connections, Peer("more"))
        connections.trust(peer)
    (last,) = admitted(connections, Peer("last"))
    assert survivors[0].was_aborted
    assert not last.was_aborted


def test_a_newcomer_that_waits_gives_way_to_those_of_its_address_that_are_answered() -> None:
    connections = Connections(LIMITS)
    busy = [Peer(is_waiting=False) for _ in range(LIMITS.address_max)]
    *others, last = admitted(connections, *busy, Peer())
    assert last.was_aborted
    assert not [peer for peer in others if peer.was_aborted]


def test_many_slow_answers_without_keys_shut_no_door() -> None:
    connections = Connections(msgspec.structs.replace(LIMITS, connections_max=2000))
    busy = [Peer(str(n), is_waiting=False) for n in range(connections.limits.keyless_max)]
    *others, last = admitted(connections, *busy, Peer())
    assert not last.was_aborted
    assert [peer.was_aborted for peer in others] == [True] + [False] * (len(busy) - 1)


def test_where_all_have_keys_and_are_being_answered_the_newcomer_goes() -> None:
    connections = Connections(LIMITS)
    for number in range(LIMITS.connections_max):
        (peer,) = admitted(connections, Peer(str(number), is_waiting=False))
        connections.trust(peer)
    (last,) = admitted(connections, Peer("last"))
    assert last.was_aborted
    assert len(connections) == LIMITS.connections_max


def test_a_look_looks_at_each_connection_once() -> None:
    connections = Connections(LIMITS)
    first, second, gone = admitted(connections, Peer("1"), Peer("2"), Peer("3"))
    connections.trust(second)
    connections.forget(gone)
    connections.look()
    assert (first.looks, second.looks, gone.looks, connections.looks) == (1, 1, 0, 1)


@pytest.mark.anyio
async def test_the_end_closes_those_that_wait_and_is_over_with_the_last() -> None:
    connections = Connections(LIMITS)
    idle, busy = admitted(connections, Peer("1"), Peer("2", is_waiting=False))
    connections.begin_ending()
    connections.end()
    assert (idle.was_aborted, busy.was_aborted) == (True, False)
    connections.forget(idle)
    assert not connections.all_closed.is_set()
    connections.forget(busy)
    assert connections.all_closed.is_set()


@pytest.mark.anyio
async def test_an_end_without_connections_is_over_at_once() -> None:
    connections = Connections(LIMITS)
    connections.begin_ending()
    assert connections.all_closed.is_set()
