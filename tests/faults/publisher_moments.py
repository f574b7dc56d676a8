"""The steps of the publisher as they pass the wire, and its death at each of them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Event

import psutil

from tests.faults.two_node_stand import Node, Stand
from tests.faults.wires import Trap
from tests.support.running_service import PATIENCE_S, wait_until


@dataclass(frozen=True)
class PublishingMoment:
    """The command by which a step is known, and on which side of the command death comes."""

    name: str
    pattern: bytes
    at_reply: bool = False
    rebuilds: bool = False


MOMENTS = (
    PublishingMoment("before it reads the state", b":rebuild"),
    PublishingMoment("before a change", b"-- Bring a slice"),
    PublishingMoment("after a change", b"-- Bring a slice", at_reply=True),
    PublishingMoment("before a heartbeat", b"-- Say that the registry's newest"),
    PublishingMoment("after a heartbeat", b"-- Say that the registry's newest", at_reply=True),
    PublishingMoment("before it marks a build", b":building", rebuilds=True),
    PublishingMoment("with a generation half-built", b"\r\nHSET\r\n", rebuilds=True),
    PublishingMoment("before it verifies a build", b"\r\nBITCOUNT\r\n", rebuilds=True),
    PublishingMoment("before a switch", b"-- From marked to live", rebuilds=True),
    PublishingMoment("after a switch", b"-- From marked to live", at_reply=True, rebuilds=True),
    PublishingMoment("before a sweep", b"\r\nSCAN\r\n", rebuilds=True),
)


@contextmanager
def publisher_dies(stand: Stand, moment: PublishingMoment) -> Iterator[None]:
    """Kill the publisher that leads, in the moment; either node's may lead."""
    sprung = Event()

    def kill(node: Node, port: int) -> None:
        process = node.holder_of(port)
        if process is not None and not sprung.is_set():
            with suppress(psutil.Error):
                process.kill()
                process.wait(PATIENCE_S)
            sprung.set()

    for node in stand.nodes:
        trap = Trap(moment.pattern, partial(kill, node), at_reply=moment.at_reply)
        node.to_redis.trap = trap
    if moment.rebuilds:
        wish_rebuild(stand)
    wait_until(sprung.is_set)
    for node in stand.nodes:
        node.to_redis.trap = None
    yield


def wish_rebuild(stand: Stand) -> None:
    """Wish, as a node does, that the live generation is replaced."""
    with stand.redis.client() as client:
        wait_until(lambda: client.get("checker:live") is not None)
        live = client.get("checker:live")
        assert live is not None
        generation = live.split(b'"id":"', 1)[1].split(b'"', 1)[0]
        client.set("checker:rebuild", generation)
