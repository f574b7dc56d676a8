"""The name of every Redis key of the list: built and taken apart in this file alone.

    <namespace>:live                    the pointer: which generation answers, as JSON
    <namespace>:vouched                 the generation just seen to be the newest; expires
    <namespace>:changes                 stream of changes and heartbeats, for the nodes' replicas
    <namespace>:nodes                   hash of node to the version it has, with a sentinel
    <namespace>:rebuild                 the generation that a node wants replaced
    <namespace>:owner                   the deployment that owns the namespace
    <namespace>:g:<id>:building         the build marker; expires
    <namespace>:g:<id>:head             the changes that the generation has, as JSON
    <namespace>:g:<id>:f:<segment>      a filter segment: string
    <namespace>:g:<id>:b:<bucket>       a bucket: hash of token to value, with a sentinel
    <namespace>:g:<id>:sums             checksums of all segments and buckets: hash

Names hold counts and random ids only. This file knows nothing of what the keys hold.

On a single server all keys begin with the namespace. On a cluster the beginning of a key, its stem,
also has a hash tag. A cluster puts all keys of one tag into one slot, and so on one master:

    checker:{checker:list}:live        the list
    checker:{checker:counts}:quota:…   quotas and tallies
    checker:{checker:pages}:session:…  what belongs to browsers

With the default namespace and three equal masters, each family is on a master of its own.
"""

import re
from enum import StrEnum

# No ':' and no glob character: one namespace is never the start, nor a pattern, of another.
_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


DEFAULT_NAMESPACE = "checker"
"""The default prefix of all keys."""


class KeyFamily(StrEnum):
    """The keys that a cluster must keep together."""

    LIST = "list"
    COUNTS = "counts"
    PAGES = "pages"


def stem_of(namespace: str, family: KeyFamily, *, in_cluster: bool) -> str:
    """Return the beginning of all keys of a family. Raises ValueError for a bad namespace."""
    if not is_namespace(namespace):
        raise ValueError(f"a namespace is 1 to 64 of A-Z a-z 0-9 _ . -, not {namespace!r}")
    return f"{namespace}:{{{namespace}:{family}}}" if in_cluster else namespace


class Keys:
    """The keys of one deployment; deployments with different namespaces share a Redis."""

    __slots__ = (
        "_generations",
        "_parse",
        "any_generation",
        "changes",
        "nodes",
        "owner",
        "pointer",
        "rebuild",
        "stem",
        "vouched",
    )

    def __init__(self, namespace: str = DEFAULT_NAMESPACE, *, in_cluster: bool = False) -> None:
        self.stem = stem = stem_of(namespace, KeyFamily.LIST, in_cluster=in_cluster)
        self.pointer: str = f"{stem}:live"
        self.vouched: str = f"{stem}:vouched"
        self.changes: str = f"{stem}:changes"
        self.nodes: str = f"{stem}:nodes"
        self.rebuild: str = f"{stem}:rebuild"
        self.owner: str = f"{stem}:owner"
        self._generations = f"{stem}:g:"
        self.any_generation: str = f"{self._generations}*"  # a pattern for SCAN
        self._parse = re.compile(rf"{re.escape(self._generations)}([^:]+):.+")

    def marker(self, generation_id: str) -> str:
        """Name the build marker of a generation."""
        return f"{self._generations}{generation_id}:building"

    def head(self, generation_id: str) -> str:
        """Name the head of a generation."""
        return f"{self._generations}{generation_id}:head"

    def segment(self, generation_id: str, index: int) -> str:
        """Name a filter segment."""
        return f"{self._generations}{generation_id}:f:{index}"

    def bucket(self, generation_id: str, index: int) -> str:
        """Name a bucket."""
        return f"{self._generations}{generation_id}:b:{index}"

    def sums(self, generation_id: str) -> str:
        """Name the hash of a generation's checksums."""
        return f"{self._generations}{generation_id}:sums"

    def generation_of(self, key: str) -> str | None:
        """Return the id of the generation a key belongs to, None for every other key."""
        match = self._parse.fullmatch(key)
        return match[1] if match else None


def is_namespace(text: str) -> bool:
    """Return whether keys may begin with this."""
    return _NAMESPACE.fullmatch(text) is not None
