"""Asks all servers of a Redis cluster for the facts of an examination."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from redis.asyncio import ConnectionPool, Redis
from redis.crc import key_slot
from redis.exceptions import AskError, RedisError, ResponseError

from cache.errors import CacheUnavailable
from cache.keys import KeyFamily, stem_of
from cache.redis_url import Addresses

SLOTS: Final = 16_384

Address: TypeAlias = tuple[str, int]
PoolOf: TypeAlias = Callable[[str, int], ConnectionPool]
"""Returns a pool of connections to the server at a host and port."""


class ClusterServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One server. `info` has all fields of INFO; None: the server does not answer.

    `state` is the state of the cluster by the server's word; None where that is forbidden.
    """

    name: str
    is_master: bool
    info: Mapping[str, Any] | None = None
    state: str | None = None


class ClusterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster by the word of the first node that answers, and each server by its own word.

    `owners` has the master of each family of keys, and lacks a family without a master. The slot of
    a family that is `moving` is on its way to another master. `slots` counts slots with a master.
    """

    servers: tuple[ClusterServerFacts, ...]
    owners: Mapping[KeyFamily, str]
    moving: frozenset[KeyFamily]
    slots: int


class _Layout(msgspec.Struct, frozen=True):
    """The masters and the replicas, and the master of each family."""

    masters: tuple[Address, ...]
    replicas: tuple[Address, ...]
    owners: Mapping[KeyFamily, Address]
    slots: int


async def read_cluster(
    nodes: Addresses, pool_of: PoolOf, namespace: str
) -> tuple[ClusterFacts, Address]:
    """Return the facts, and the address of the master that owns the list.

    Raises:
        CacheUnavailable: no node answers, or the list has no master.
        RedisError: the nodes refuse.
    """
    layout = await _layout(nodes, pool_of, namespace)
    if KeyFamily.LIST not in layout.owners:
        raise CacheUnavailable("no master owns the slot of the list")
    servers = await asyncio.gather(
        *(_server(address, pool_of, is_master=True) for address in layout.masters),
        *(_server(address, pool_of, is_master=False) for address in layout.replicas),
    )
    are_moving = await asyncio.gather(
        *(_is_moving(address, pool_of, namespace, family) for family, address in _items(layout))
    )
    facts = ClusterFacts(
        servers=tuple(servers),
        owners={family: _name(address) for family, address in _items(layout)},
        moving=frozenset(
            family
            for (family, _), is_moving in zip(_items(layout), are_moving, strict=True)
            if is_moving
        ),
        slots=layout.slots,
    )
    return facts, layout.owners[KeyFamily.LIST]


async def _layout(nodes: Addresses, pool_of: PoolOf, namespace: str) -> _Layout:
    failure: Exception = CacheUnavailable("no node of the cluster answers")
    for host, port in nodes:
        try:
            async with Redis.from_pool(pool_of(host, port)) as redis:
                ranges: Any = await redis.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            failure = error
            continue
        return _layout_of(ranges, (host, port), namespace)
    raise failure


def _layout_of(ranges: Sequence[Any], asked: Address, namespace: str) -> _Layout:
    """Return the layout; a server that does not know its own host is the one that was asked."""
    masters: dict[Address, None] = {}
    replicas: dict[Address, None] = {}
    owners: dict[KeyFamily, Address] = {}
    slots = {
        family: key_slot(stem_of(namespace, family, in_cluster=True).encode())
        for family in KeyFamily
    }
    for first, last, *servers in ranges:
        master, *others = [(str(each[0] or asked[0]), int(each[1])) for each in servers]
        masters[master] = None
        replicas |= dict.fromkeys(others)
        owners |= {family: master for family, slot in slots.items() if first <= slot <= last}
    covered = sum(last - first + 1 for first, last, *_ in ranges)
    return _Layout(tuple(masters), tuple(replicas), owners, covered)


async def _server(address: Address, pool_of: PoolOf, *, is_master: bool) -> ClusterServerFacts:
    name = _name(address)
    try:
        async with Redis.from_pool(pool_of(*address)) as redis:
            info = await redis.info("all")
            state = await _state(redis)
    except (RedisError, OSError):
        return ClusterServerFacts(name=name, is_master=is_master)
    return ClusterServerFacts(name=name, is_master=is_master, info=info, state=state)


async def _state(redis: Redis) -> str | None:
    try:
        found: Any = await redis.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    except ResponseError:
        return None
    return str(found["cluster_state"])


async def _is_moving(address: Address, pool_of: PoolOf, namespace: str, family: KeyFamily) -> bool:
    """Return whether the master has begun to give the slot away."""
    key = f"{stem_of(namespace, family, in_cluster=True)}:"  # a key that never exists
    try:
        async with Redis.from_pool(pool_of(*address)) as redis:
            await redis.exists(key)
    except AskError:
        return True
    except (RedisError, OSError):
        return False  # another finding names the server
    return False


def _items(layout: _Layout) -> tuple[tuple[KeyFamily, Address], ...]:
    return tuple(layout.owners.items())


def _name(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
