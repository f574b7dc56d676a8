"""The claim of a deployment to the keys of a namespace, on a Redis that deployments share.

    <namespace>:owner     fingerprint of the owner's first token key: string

Two deployments under one namespace would replace each other's list again and again, and count each
other's quotas. (Neither would answer wrongly, because a generation names its token key.) The owner
is the key of the hash (`TokenKeys.first`), which is never replaced. So a start
claims the namespace. A start that finds the claim of another deployment ends. The next start claims
a Redis that was emptied; until then the pointer shows whose list is there.
"""

from contextlib import aclosing

from cache.errors import CacheIncomplete, CacheMisconfigured
from cache.generation import decode_pointer
from cache.redis_cluster import keys_at
from cache.redis_pipe import Command, Pipe
from cache.replies import reads_replies
from cache.token_key import TokenKeys


class ForeignNamespace(CacheMisconfigured):
    """Another deployment uses this namespace on this Redis."""


class NamespaceClaim:
    """The claim of the deployment with these keys."""

    def __init__(
        self, url: str, *, token_keys: TokenKeys, namespace: str, timeout_s: float = 0.25
    ) -> None:
        self._url = url
        self._token_keys = token_keys
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
        own = self._token_keys.first.fingerprint
        async with aclosing(Pipe(self._url, keys.stem, timeout_s=self._timeout_s)) as pipe:
            pointer, owner = await pipe.ask([("GET", keys.pointer), ("GET", keys.owner)])
            if owner is None and _is_ours(pointer, self._token_keys):
                claim: Command = ("SET", keys.owner, own, "NX")
                _, owner = await pipe.ask([claim, ("GET", keys.owner)])
        if owner != own.encode():
            text = f"Redis holds another deployment under the prefix {self._namespace!r}"
            raise ForeignNamespace(text)


def _is_ours(pointer: bytes | None, token_keys: TokenKeys) -> bool:
    """Return whether the list under the namespace is ours, or there is none that can be read."""
    if pointer is None:
        return True
    try:
        return token_keys.known(decode_pointer(pointer).token_key) is not None
    except CacheIncomplete:
        return True
