"""Which deployment the keys of a namespace belong to, on a Redis that several may share.

    <namespace>:owner     fingerprint of the owner's token key: string

Two deployments under one namespace would replace each other's list for ever, and count each other's
quotas. Neither would answer wrongly, because a generation names its token key. So a start claims
the namespace, and a start that finds the claim of another deployment ends. A Redis that was emptied
is claimed anew by the next start; until then the pointer says whose list is there.
"""

from cache.errors import CacheIncomplete, CacheMisconfigured
from cache.generation import decode_pointer
from cache.keys import Keys
from cache.redis_pipe import Pipe


class ForeignNamespace(CacheMisconfigured):
    """Another deployment uses this namespace on this Redis."""


async def claim_namespace(
    url: str, *, token_key: str, namespace: str, timeout_s: float = 0.25
) -> None:
    """Claim a namespace for the deployment with this fingerprint.

    Raises:
        ForeignNamespace: another deployment holds it.
        CacheUnavailable: Redis could not be asked.
    """
    keys = Keys(namespace)
    pipe = Pipe(url, timeout_s=timeout_s)
    try:
        pointer, owner = await pipe.ask([("GET", keys.pointer), ("GET", keys.owner)])
        if owner is None and _is_ours(pointer, token_key):
            _, owner = await pipe.ask([("SET", keys.owner, token_key, "NX"), ("GET", keys.owner)])
    finally:
        await pipe.aclose()
    if owner != token_key.encode():
        raise ForeignNamespace(f"Redis holds another deployment under the prefix {namespace!r}")


def _is_ours(pointer: bytes | None, token_key: str) -> bool:
    """Return whether the list under the namespace is ours, or there is none that can be read."""
    if pointer is None:
        return True
    try:
        return decode_pointer(pointer).token_key == token_key
    except CacheIncomplete:
        return True
