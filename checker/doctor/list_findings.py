"""The findings about the list, by the answers of both stores: keys, publisher, nodes."""

from collections.abc import Callable
from typing import Final

import msgspec

from checker.doctor.finding import Finding
from checker.doctor.postgres_facts import PostgresFacts
from checker.doctor.redis_facts import RedisFacts


class ListFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of both stores; None: the store does not answer.

    `token_key` is the fingerprint of this deployment's key.
    """

    registry: PostgresFacts | None
    cache: RedisFacts | None
    token_key: str


def _keys(facts: ListFacts) -> Finding | None:
    registry = facts.registry
    if registry is None or registry.token_key is None:
        return None
    if registry.token_key != facts.token_key:
        text = "the list was written with another token key: nobody on it would be found"
        return Finding.fault("keys", text, "restore the secrets with which the list was written")
    return Finding.ok("keys", "the list was written with these secrets")


def _publisher(facts: ListFacts) -> Finding | None:
    if facts.registry is None:
        return None
    if not facts.registry.is_published:
        text = "no process brings changes from PostgreSQL to Redis"
        return Finding.warning("publisher", text, "start checker serve")
    return Finding.ok("publisher", "one process leads")


def _nodes(facts: ListFacts) -> Finding | None:
    if facts.cache is None or facts.cache.nodes is None:
        return None
    if not facts.cache.nodes:
        text = "no process that answers checks has read the list lately"
        return Finding.warning("nodes", text, "start checker serve, and look at its log")
    return Finding.ok("nodes", f"{facts.cache.nodes} processes hold the list")


def _list(facts: ListFacts) -> Finding | None:
    registry = facts.registry
    if registry is None:
        return None
    if registry.version is None:
        text = "no list was taken in, so nobody can be cleared"
        return Finding.warning("list", text, "checker import FILE, or let a court send its list")
    if registry.is_set_back:
        text = f"went back to version {registry.version}, and nobody is answered by it"
        mend = "let the courts send the lost changes again, then run checker accept-older"
        return Finding.fault("list", text, mend)
    if facts.cache is None:
        return None
    head = facts.cache.head
    if head is None:
        text = f"Redis holds none, PostgreSQL holds version {registry.version}"
        return Finding.warning("list", text, "a running publisher builds it; see its log")
    if head.change_id != registry.change_id:
        text = f"Redis holds version {head.version}, PostgreSQL holds {registry.version}"
        return Finding.warning(
            "list", f"{text}, or they differ", "run doctor again; then see the publisher's log"
        )
    return Finding.ok("list", f"Redis and PostgreSQL hold version {head.version}")


EXAMINATIONS: Final[tuple[Callable[[ListFacts], Finding | None], ...]] = (
    _keys,
    _publisher,
    _nodes,
    _list,
)
