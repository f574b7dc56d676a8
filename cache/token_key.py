"""The keys under which tokens are stored, so that a key that was stolen can be replaced.

A token in memory is a keyed hash of a document (`cache.token`) and never changes. A stored token is
the same 16 bytes, encrypted with a key that can be replaced:

    key 1           the key of the hash alone; a stored token is the token
    key 2 and more  a stored token is AES-256 of the token, one block

A token can be made from a stored token, so nobody needs the document to store the token under
another key. Somebody who has read an older key finds nobody in what is stored under a newer one.
OWASP's Password Storage Cheat Sheet describes the same for passwords (post-hashing pepper).

Equal tokens have equal stored tokens, so that they can be found. A token is a pseudo-random block
and never longer than a block, so the mode ECB shows nothing more than this.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from operator import itemgetter
from struct import Struct
from typing import Final, cast

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from cache.token import KEY_BYTES, TOKEN_BYTES, StoredToken, Token, Tokenizer

FIRST_KEY: Final = 1
"""The number of the key that hashes documents. It stays for as long as there is a deployment."""

KEY_NUMBER_MAX: Final = 255

_FINGERPRINT_DOMAIN: Final = b"token-key-name"
_CHECKSUM_DOMAIN: Final = b"checksum-key"

_each_token = Struct(f"{TOKEN_BYTES}s").iter_unpack
_only = itemgetter(0)


class TokenKey:
    """One key under which tokens are stored.

    `fingerprint` names the key, and no key follows from it. `checksum_key` is for the checksums of
    what is stored under the key (`cache.checksum`).
    """

    __slots__ = ("_decrypt", "_encrypt", "checksum_key", "fingerprint", "number")

    def __init__(self, number: int, tokenizer: Tokenizer, key: bytes | None = None) -> None:
        """`key` has 32 bytes; None: the key of the hash alone, which has number 1."""
        assert (key is None) == (number == FIRST_KEY), "key 1 encrypts nothing"
        self.number = number
        self._encrypt = self._decrypt = None
        if key is None:
            self.fingerprint = tokenizer.fingerprint
            self.checksum_key = tokenizer.checksum_key
            return
        if len(key) != KEY_BYTES:
            raise ValueError(f"a token key has {KEY_BYTES} bytes, not {len(key)}")
        # With the key of the hash in it: a pair of both keys names the stored tokens.
        name = blake2b(
            tokenizer.fingerprint.encode(), digest_size=8, key=key, person=_FINGERPRINT_DOMAIN
        )
        self.fingerprint = name.hexdigest()
        self.checksum_key = blake2b(
            digest_size=KEY_BYTES, key=key, person=_CHECKSUM_DOMAIN
        ).digest()
        cipher = Cipher(AES256(key), ECB())  # noqa: S305 - one pseudo-random block, see above
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update

    @property
    def is_plain(self) -> bool:
        """Whether a stored token is the token."""
        return self._encrypt is None

    def stored(self, tokens: bytes) -> bytes:
        """Return the stored form of a token, or of tokens one behind the other."""
        assert len(tokens) % TOKEN_BYTES == 0, f"a token has {TOKEN_BYTES} bytes"
        return tokens if self._encrypt is None else self._encrypt(tokens)

    def restored(self, stored: bytes) -> bytes:
        """Return the token of its stored form, or tokens one behind the other."""
        assert len(stored) % TOKEN_BYTES == 0, f"a stored token has {TOKEN_BYTES} bytes"
        return stored if self._decrypt is None else self._decrypt(stored)

    def each_stored(self, tokens: Sequence[Token]) -> Sequence[StoredToken]:
        """Return the stored form of each token: 0.1 us a token where there are many."""
        if self._encrypt is None:
            return cast("Sequence[StoredToken]", tokens)
        if len(tokens) == 1:
            return [cast("StoredToken", self.stored(tokens[0]))]
        together = self.stored(b"".join(tokens))
        return list(map(_only, _each_token(together)))


class TokenKeys:
    """The keys that a process holds, by number; `current` is the one of the registry."""

    def __init__(self, tokenizer: Tokenizer, keys: Mapping[int, bytes] | None = None) -> None:
        """`keys` are the keys that encrypt, from number 2 on, 32 bytes each."""
        self._tokenizer = tokenizer
        first = TokenKey(FIRST_KEY, tokenizer)
        self._by_number: dict[int, TokenKey] = {FIRST_KEY: first}
        self._by_fingerprint: dict[str, TokenKey] = {first.fingerprint: first}
        self.current = first
        self.is_settled = False
        """Whether the registry has named the current key (`use`)."""
        self.learn(keys or {})

    @property
    def fingerprints(self) -> Mapping[int, str]:
        """The keys that are held: number and fingerprint."""
        return {number: key.fingerprint for number, key in self._by_number.items()}

    @property
    def first(self) -> TokenKey:
        """The key of the hash; its fingerprint names the deployment."""
        return self._by_number[FIRST_KEY]

    def learn(self, keys: Mapping[int, bytes]) -> None:
        """Hold these keys too. A key that is held stays.

        Raises:
            ValueError: another key is held under one of these numbers, or a number or a key is
                none.
        """
        for number, key in keys.items():
            if not FIRST_KEY < number <= KEY_NUMBER_MAX:
                raise ValueError(f"token keys that encrypt have numbers from 2 to {KEY_NUMBER_MAX}")
            made = TokenKey(number, self._tokenizer, key)
            held = self._by_number.setdefault(number, made)
            if held.fingerprint != made.fingerprint:
                raise ValueError(f"another token key had the number {number} before")
            self._by_fingerprint.setdefault(held.fingerprint, held)

    def use(self, number: int) -> None:
        """Make a key that is held the current one, as the registry says."""
        self.current = self._by_number[number]
        self.is_settled = True

    def numbered(self, number: int) -> TokenKey | None:
        """Return the key with this number, or None."""
        return self._by_number.get(number)

    def known(self, fingerprint: str) -> TokenKey | None:
        """Return the key with this fingerprint, or None."""
        return self._by_fingerprint.get(fingerprint)
