"""The claim of a deployment to the keys of a namespace, on a Redis that deployments share.

    <namespace>:owner     fingerprint of the owner's token key: string

Two deployments under one namespace would replace each other's list again and again, and count each
other's quotas. (Neither would answer wrongly, because a generation names its token key.) So a start
claims the namespace. A start that finds the claim of another deployment ends. The next start claims
a Redis that was emptied; until then the pointer shows whose list is there.
"""

from contextlib import aclosing

from cache.errors import CacheIncomplete, CacheMisconfigured
from cache.generation import decode_pointer
from cache.redis_cluster import keys_at
from cache.redis_pipe import Command, Pipe
from cache.replies import reads_replies


class ForeignNamespace(CacheMisconfigured):
    """Another deployment uses this namespace on this Redis."""


class NamespaceClaim:
    """The claim of the deployment with the fingerprint `token_key`."""

    def __init__(
        self, url: str, *, token_key: str, namespace: str, timeout_s: float = 0.25
    ) -> None:
        self._url = url
        self._token_key = token_key
        self._namespace = namespace
        self._timeout_s = timeout_s

    @reads_replies
    async def hold(self) -> None:
        """Claim the namespace, or find that the claim still stands.

        Raises:
            ForeignNamespace: another deployment holds it.
            CacheMisconfigured: Redis may evict keys, or is a cluster unlike its URL.
            CacheUnavailable: Redis could not be asked.
        """
        keys = keys_at(self._url, self._namespace)
        async with aclosing(Pipe(self._url, keys.stem, timeout_s=self._timeout_s)) as pipe:
            pointer, owner = await pipe.ask([("GET", keys.pointer), ("GET", keys.owner)])
            if owner is None and _is_ours(pointer, self._token_key):
                claim: Command = ("SET", keys.owner, self._token_key, "NX")
                _, owner = await pipe.ask([claim, ("GET", keys.owner)])
        if owner != self._token_key.encode():
            text = f"Redis holds another deployment under the prefix {self._namespace!r}"
            raise ForeignNamespace(text)


def _is_ours(pointer: bytes | None, token_key: str) -> bool:
    """Return whether the list under the namespace is ours, or there is none that can be read."""
    if pointer is None:
        return True
    try:
        return decode_pointer(pointer).token_key == token_key
    except CacheIncomplete:
        return True
