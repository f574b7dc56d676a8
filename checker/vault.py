"""Sealing of personal fields at rest, and the keyed digests of the journal.

A sealed field is a text under AES-256-GCM, with one of the encryption keys of the deployment:

    byte 0       format, 2 or 3
    byte 1       number of the key, from 1 on
    bytes 2-13   nonce, random
    bytes 14-    ciphertext and the 16-byte tag

The field's place (`listing.party_name`) and the row that it stands in are authenticated with it. A
value that somebody copies into another column or another row does not open. Numbers that
PostgreSQL gives to rows are not known when a value is sealed, so a row is named by these:

    listing.party_name               id of the listing
    officer_link.name                id of the listing
    document.number                  id of the listing, token of the document
    bound_document.number            token of the document
    permit.number, permit.ground     id of the permit
    directive.basis                  id of the listing
    quarantine.raw                   the transfer (`feed`), number of the line
    authorization_step.reference     id of the authorization
    idempotency_key.answer           id of the account, the key as it is kept
    feed_request.answer              the key as it is kept
    reported_outcome.note            id of the decision
    decision.subject                 id of the decision
    correction.ground, contact, note id of the correction
    reconciliation_result.reference  number of the reconciliation, number of the line
    webhook.url, webhook.secret      id of the account
    receipt_key.sealed_jwk           number of the key
    web_session.content              id of the session, on Redis
    manifest.about, manifest.sheet   id of the job, on Redis
    deployment.sealed_probe          nothing: the table has one row
    deployment.sealed_journal_key    nothing

`checker.rotation.places` describes the columns of these places: a rotation of the key walks over
them. A deployment has several keys while its key is replaced (`checker.rotation`). A vault opens
with every key that it holds, and seals with the key that `seal_with` names.

Format 1 has neither the number of a key nor a row. It is read with key 1, because older versions
have written it; it is written no more.

Format 3 is the form of a sealed value under a chain whose digests cover the sealed bytes (the note
of a reported outcome). After a rotation the chain still needs the bytes that it has covered. So the
new value seals both: the length of the first sealed value in 4 bytes, that value, and the text.

One more key makes the digests of the journal (`checker.journal`), so that nobody can write an entry
with access to PostgreSQL alone. It is derived from the first encryption key of a deployment, and
stays the same when that key is replaced: the digests of years rest on it. It is kept in
PostgreSQL, sealed as a field (`deployment.sealed_journal_key`).
"""

import hashlib
import os
from collections.abc import Mapping
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checker.errors import ConfigurationError

KEY_BYTES: Final = 32

FIRST_KEY: Final = 1
"""The number of a deployment's first encryption key, and of a key that has no number."""

KEY_NUMBER_MAX: Final = 255
"""The number of a key is one byte of each sealed value."""

DIGEST_BYTES = 16
"""Enough that nobody without the key finds a second text of the same digest."""

LINK_BYTES = 32

_WITHOUT_ROW: Final = 1
_PLAIN: Final = 2
_WITH_FIRST: Final = 3
_HEAD_BYTES: Final = 2
_NONCE_BYTES = 12
_LENGTH_BYTES: Final = 4
_JOURNAL_KEY = b"checker journal"
_FINGERPRINT = b"checker encryption key"
_FINGERPRINT_BYTES: Final = 16

_encode = msgspec.json.Encoder().encode


class Vault:
    """Seals and opens personal fields, and makes the digests of the journal.

    `keys` are the encryption keys by number. One key alone has number 1.
    """

    def __init__(self, keys: bytes | Mapping[int, bytes]) -> None:
        self._ciphers: dict[int, AESGCM] = {}
        self._fingerprints: dict[int, str] = {}
        self._journal_key: bytes | None = None
        self._first: bytes | None = None
        self.learn({FIRST_KEY: keys} if isinstance(keys, bytes) else keys)
        # The oldest key until the deployment is known: every process that lives holds it.
        self._sealing = min(self._ciphers)

    @property
    def sealing(self) -> int:
        """The number of the key that seals."""
        return self._sealing

    @property
    def fingerprints(self) -> Mapping[int, str]:
        """The keys that the vault holds: number, and a keyed hash from which no key follows."""
        return self._fingerprints

    def learn(self, keys: Mapping[int, bytes]) -> None:
        """Hold these keys too. A key that is held stays.

        Raises:
            ConfigurationError: another key is held under one of these numbers.
        """
        for number, key in keys.items():
            fingerprint = hashlib.blake2b(_FINGERPRINT, key=key, digest_size=_FINGERPRINT_BYTES)
            held = self._fingerprints.setdefault(number, fingerprint.hexdigest())
            if held != fingerprint.hexdigest():
                raise ConfigurationError(f"another encryption key had the number {number} before")
            self._ciphers[number] = AESGCM(key)
        if self._first is None:
            self._first = keys[min(keys)]
        if FIRST_KEY in keys and self._journal_key is None:
            self._journal_key = _derived(keys[FIRST_KEY])

    def seal_with(self, number: int) -> None:
        """Seal with this key from now on."""
        assert number in self._ciphers, "a vault seals with a key that it holds"
        self._sealing = number

    def seal(self, text: str, place: str, *row: str) -> bytes:
        """Seal a text for one place (table and column) and one row; no two sealings are alike."""
        return self.seal_bytes(text.encode(), place, *row)

    def seal_bytes(self, content: bytes, place: str, *row: str) -> bytes:
        """Seal bytes as `seal` does."""
        return self._sealed(_PLAIN, content, place, row)

    def seal_again(self, sealed: bytes, place: str, *row: str, keeps_first: bool = False) -> bytes:
        """Seal a value of that place and row with the key that seals now.

        `keeps_first`: `first_sealed` still returns the bytes of the first sealing. Raises
        ConfigurationError as `open`.
        """
        content = self.open_bytes(sealed, place, *row)
        if not keeps_first:
            return self.seal_bytes(content, place, *row)
        first = self.first_sealed(sealed, place, *row)
        length = len(first).to_bytes(_LENGTH_BYTES)
        return self._sealed(_WITH_FIRST, length + first + content, place, row)

    def open(self, sealed: bytes, place: str, *row: str) -> str:
        """Open what was sealed for that place and row.

        Raises:
            ConfigurationError: another key, another place or row, or a damaged value.
        """
        return self.open_bytes(sealed, place, *row).decode()

    def open_bytes(self, sealed: bytes, place: str, *row: str) -> bytes:
        """Open bytes as `open` does, with its errors."""
        content = self._opened(sealed, place, row)
        if sealed[0] != _WITH_FIRST:
            return content
        return content[_LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES]) :]

    def first_sealed(self, sealed: bytes, place: str, *row: str) -> bytes:
        """Return the bytes of a value as they were sealed first. Raises as `open`."""
        if sealed[:1] != bytes((_WITH_FIRST,)):
            return sealed
        content = self._opened(sealed, place, row)
        return content[_LENGTH_BYTES:][: int.from_bytes(content[:_LENGTH_BYTES])]

    def _sealed(self, form: int, content: bytes, place: str, row: tuple[str, ...]) -> bytes:
        number = self._sealing
        head, nonce = bytes((form, number)), os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[number]
        return head + nonce + cipher.encrypt(nonce, content, head + _encode((place, *row)))

    def _opened(self, sealed: bytes, place: str, row: tuple[str, ...]) -> bytes:
        try:
            number, head = FIRST_KEY, 1
            bound_to = place.encode()
            if sealed[0] != _WITHOUT_ROW:
                if sealed[0] not in {_PLAIN, _WITH_FIRST}:
                    raise InvalidTag
                number, head = sealed[1], _HEAD_BYTES
                # The place and the row, each apart, with the format and the key that seals.
                bound_to = sealed[:_HEAD_BYTES] + _encode((place, *row))
            text = head + _NONCE_BYTES
            return self._ciphers[number].decrypt(sealed[head:text], sealed[text:], bound_to)
        except (InvalidTag, IndexError, KeyError, ValueError) as error:  # the last: cut short
            text_of_error = f"a sealed value of {place} does not open with this deployment's key"
            raise ConfigurationError(text_of_error) from error

    @property
    def journal_key(self) -> bytes:
        """The key of the journal.

        Raises:
            ConfigurationError: the first encryption key is not held, and nobody gave the key.
        """
        if self._journal_key is None:
            raise ConfigurationError("the key of the journal has not been read from the database")
        return self._journal_key

    def begin_journal(self) -> None:
        """Derive the key of a journal that begins from the oldest encryption key."""
        assert self._first is not None, "a vault holds a key"
        self.take_journal_key(_derived(self._first))

    def take_journal_key(self, key: bytes) -> None:
        """Use the key of the journal that the deployment has.

        Raises:
            ConfigurationError: the vault has another key of the journal.
        """
        if self._journal_key not in {None, key}:
            raise ConfigurationError("the database was written with another key of the journal")
        self._journal_key = key

    def digest(self, content: bytes) -> bytes:
        """Make a digest that nobody can make without the key of the deployment."""
        key = self._journal_key or self.journal_key
        return hashlib.blake2b(content, key=key, digest_size=DIGEST_BYTES).digest()

    def link(self, content: bytes) -> bytes:
        """Make a longer digest, for what people write down and compare later."""
        return hashlib.blake2b(content, key=self.journal_key, digest_size=LINK_BYTES).digest()


def heads_of(number: int) -> list[bytes]:
    """Return the first bytes of every value that is sealed with this key."""
    return [bytes((form, number)) for form in (_PLAIN, _WITH_FIRST)]


def _derived(encryption_key: bytes) -> bytes:
    return hashlib.blake2b(_JOURNAL_KEY, key=encryption_key, digest_size=KEY_BYTES).digest()
