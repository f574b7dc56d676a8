"""The findings about the list, by the answers of both stores: keys, publisher, nodes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from cache.token_key import FIRST_KEY
from checker.doctor.finding import Finding
from checker.doctor.postgres_facts import PostgresFacts
from checker.doctor.redis_facts import RedisFacts


class ListFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of both stores; None: the store does not answer.

    `token_key` is the fingerprint of this deployment's key. `encryption_keys` and `token_keys` are
    those of its secrets by number; token key 1 is `token_key`.
    """

    registry: PostgresFacts | None
    cache: RedisFacts | None
    token_key: str
    encryption_keys: Mapping[int, str] = msgspec.field(default_factory=dict)
    token_keys: Mapping[int, str] = msgspec.field(default_factory=dict)


def _keys(facts: ListFacts) -> Finding | None:
    registry = facts.registry
    if registry is None or registry.token_key is None:
        return None
    if registry.token_key != facts.token_key:
        text = "the list was written with another token key: nobody on it would be found"
        return Finding.fault("keys", text, "restore the secrets with which the list was written")
    return Finding.ok("keys", "the list was written with these secrets")


def _encryption_keys(facts: ListFacts) -> Finding | None:
    registry, held = facts.registry, facts.encryption_keys
    if registry is None or not registry.encryption_keys:
        return None
    needed = registry.encryption_keys
    ended = [number for number in held if number < min(needed)]
    return _of_keys("encryption keys", needed, held, ended) or Finding.ok(
        "encryption keys", f"the key {max(needed)} seals everything"
    )


def _token_keys(facts: ListFacts) -> Finding | None:
    registry, held = facts.registry, facts.token_keys
    if registry is None or not registry.token_keys:
        return None
    needed = registry.token_keys
    # Key 1 makes tokens, and stays.
    ended = [number for number in held if FIRST_KEY < number < min(needed)]
    return _of_keys("token keys", needed, held, ended) or Finding.ok(
        "token keys", f"all tokens stand under the key {max(needed)}"
    )


def _of_keys(
    name: str, needed: Mapping[int, str], held: Mapping[int, str], ended: Sequence[int]
) -> Finding | None:
    """Return the finding of a replacement that is not over; None: there is none."""
    missing = [number for number in needed if held.get(number) != needed[number]]
    if missing:
        text = f"these secrets lack the key {missing[0]}, under which something is stored"
        return Finding.fault(name, text, "restore the secrets that hold this key")
    if len(needed) > 1:
        text = f"the key {max(needed)} takes the place of the key {min(needed)}"
        mend = "run checker keys rotate-secrets, then again with --finish"
        return Finding.warning(name, text, mend)
    if max(held) > max(needed):
        text = f"the key {max(held)} is in the secrets, and nothing is stored under it yet"
        return Finding.warning(name, text, "run checker keys rotate-secrets")
    if ended:
        text = f"the key {ended[0]} is needed no longer"
        mend = "remove it from the secrets of every machine, and keep it as long as old backups"
        return Finding.warning(name, text, mend)
    return None


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
    _encryption_keys,
    _token_keys,
    _publisher,
    _nodes,
    _list,
)
