"""The name of every Redis key: built and taken apart in this file alone.

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
"""

import re

# No ':' and no glob character: one namespace is never the start, nor a pattern, of another.
_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


DEFAULT_NAMESPACE = "checker"
"""The default prefix of all keys."""


class Keys:
    """The keys of one deployment; deployments with different namespaces share a Redis."""

    __slots__ = (
        "_parse",
        "_stem",
        "any_generation",
        "changes",
        "nodes",
        "owner",
        "pointer",
        "rebuild",
        "vouched",
    )

    def __init__(self, namespace: str = DEFAULT_NAMESPACE) -> None:
        if not is_namespace(namespace):
            raise ValueError(f"a namespace is 1 to 64 of A-Z a-z 0-9 _ . -, not {namespace!r}")
        self.pointer: str = f"{namespace}:live"
        self.vouched: str = f"{namespace}:vouched"
        self.changes: str = f"{namespace}:changes"
        self.nodes: str = f"{namespace}:nodes"
        self.rebuild: str = f"{namespace}:rebuild"
        self.owner: str = f"{namespace}:owner"
        self._stem = f"{namespace}:g:"
        self.any_generation: str = f"{self._stem}*"  # a pattern for SCAN
        self._parse = re.compile(rf"{re.escape(self._stem)}([^:]+):.+")

    def marker(self, generation_id: str) -> str:
        """Name the build marker of a generation."""
        return f"{self._stem}{generation_id}:building"

    def head(self, generation_id: str) -> str:
        """Name the head of a generation."""
        return f"{self._stem}{generation_id}:head"

    def segment(self, generation_id: str, index: int) -> str:
        """Name a filter segment."""
        return f"{self._stem}{generation_id}:f:{index}"

    def bucket(self, generation_id: str, index: int) -> str:
        """Name a bucket."""
        return f"{self._stem}{generation_id}:b:{index}"

    def sums(self, generation_id: str) -> str:
        """Name the hash of a generation's checksums."""
        return f"{self._stem}{generation_id}:sums"

    def generation_of(self, key: str) -> str | None:
        """Return the id of the generation a key belongs to, None for every other key."""
        match = self._parse.fullmatch(key)
        return match[1] if match else None


def is_namespace(text: str) -> bool:
    """Return whether keys may begin with this."""
    return _NAMESPACE.fullmatch(text) is not None
