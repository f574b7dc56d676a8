"""Token keys for tests of the cache: one key of the hash, and two keys that encrypt."""

from cache.token import Tokenizer
from cache.token_key import FIRST_KEY, TokenKeys

TOKENIZER = Tokenizer(bytes(range(32)))
SECOND, THIRD = bytes(range(100, 132)), bytes(range(200, 232))


def token_keys(current: int = FIRST_KEY) -> TokenKeys:
    """Return all keys, with one of them current."""
    keys = TokenKeys(TOKENIZER, {2: SECOND, 3: THIRD})
    keys.use(current)
    return keys


def first_key(key: bytes = bytes(range(32))) -> TokenKeys:
    """Return the keys of a deployment that has never replaced its first key."""
    return TokenKeys(Tokenizer(key), {})
