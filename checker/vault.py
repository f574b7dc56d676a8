"""The secrets of a deployment, and the sealing of personal fields at rest.

A deployment has two keys of 32 bytes: one turns documents into tokens, one seals names and numbers
with AES-256-GCM. They come from the environment (`CHECKER_TOKEN_KEY`, `CHECKER_ENCRYPTION_KEY`,
both base64) or from `secrets.json` in the data directory, which the first start makes with mode
0600.

A sealed field:

    byte 0       format, 2
    byte 1       number of the key, 1: the one that the deployment has
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

Format 1 has neither the number of a key nor a row. It is read, because older versions have
written it; it is written no more.

One more key is derived from the second one: it makes the digests of the journal
(`checker.journal`), so that nobody can write an entry with access to PostgreSQL alone.
"""

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checker.errors import ConfigurationError

KEY_BYTES = 32
SECRETS_FILE = "secrets.json"
TOKEN_KEY_VARIABLE = "CHECKER_TOKEN_KEY"  # noqa: S105 - the name of a variable, not a secret
ENCRYPTION_KEY_VARIABLE = "CHECKER_ENCRYPTION_KEY"

DIGEST_BYTES = 16
"""Enough that nobody without the key finds a second text of the same digest."""

LINK_BYTES = 32

_FORMAT = 2
_KEY_NUMBER = 1
_HEAD = bytes((_FORMAT, _KEY_NUMBER))
_NONCE_BYTES = 12
_JOURNAL_KEY = b"checker journal"

_encode = msgspec.json.Encoder().encode


class Secrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two keys, 32 bytes each; as JSON they are base64."""

    token_key: bytes
    encryption_key: bytes

    def __post_init__(self) -> None:
        for name in ("token_key", "encryption_key"):
            if len(getattr(self, name)) != KEY_BYTES:
                raise ValueError(f"{name} must be {KEY_BYTES} bytes, in base64")

    def __repr__(self) -> str:
        return "Secrets(…)"


_decode_secrets = msgspec.json.Decoder(Secrets).decode


def load_secrets(data_dir: Path, environ: Mapping[str, str]) -> Secrets:
    """Take the secrets from the environment, or from the data directory, made there at first.

    Order: both variables; else the file. One variable without the other is refused, because a
    half-configured deployment would write with a key that the next start does not have. Two first
    starts at once end with the same file.

    Raises:
        ConfigurationError: a key of another length, a file that others may read, or a file that
            cannot be written.
    """
    variables = (TOKEN_KEY_VARIABLE, ENCRYPTION_KEY_VARIABLE)
    given = [name for name in variables if environ.get(name)]
    if len(given) == 1:
        raise ConfigurationError(f"{given[0]} is set but its sibling is not: set both or none")
    if given:
        try:
            token_key, encryption_key = (
                base64.b64decode(environ[name], validate=True) for name in variables
            )
            return Secrets(token_key=token_key, encryption_key=encryption_key)
        except (binascii.Error, ValueError) as error:
            text = f"{' and '.join(variables)} must each be {KEY_BYTES} bytes in base64"
            raise ConfigurationError(text) from error
    path = data_dir / SECRETS_FILE
    try:
        if not path.exists():
            _write_once(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    return _read(path)


def _write_once(path: Path) -> None:
    """Write new secrets beside the path and link them there; whoever links first wins."""
    secrets = Secrets(token_key=os.urandom(KEY_BYTES), encryption_key=os.urandom(KEY_BYTES))
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(secrets))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _read(path: Path) -> Secrets:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigurationError(
            f"{path} must be private, and others may use it (mode {mode:04o}): chmod 600 {path}"
        )
    try:
        return _decode_secrets(content)
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path} does not hold the two keys of a deployment") from error


class Vault:
    """Seals and opens personal fields with one key, and makes the digests of the journal."""

    def __init__(self, encryption_key: bytes) -> None:
        self._cipher = AESGCM(encryption_key)
        derived = hashlib.blake2b(_JOURNAL_KEY, key=encryption_key, digest_size=KEY_BYTES)
        self._journal_key = derived.digest()

    def seal(self, text: str, place: str, *row: str) -> bytes:
        """Seal a text for one place (table and column) and one row; no two sealings are alike."""
        return self.seal_bytes(text.encode(), place, *row)

    def seal_bytes(self, content: bytes, place: str, *row: str) -> bytes:
        """Seal bytes as `seal` does."""
        nonce = os.urandom(_NONCE_BYTES)
        return _HEAD + nonce + self._cipher.encrypt(nonce, content, _bound_to(place, row))

    def open(self, sealed: bytes, place: str, *row: str) -> str:
        """Open what was sealed for that place and row.

        Raises:
            ConfigurationError: another key, another place or row, or a damaged value.
        """
        return self.open_bytes(sealed, place, *row).decode()

    def open_bytes(self, sealed: bytes, place: str, *row: str) -> bytes:
        """Open bytes as `open` does, with its errors."""
        try:
            match sealed[0]:
                case 2 if sealed[1] == _KEY_NUMBER:
                    head, bound_to = len(_HEAD), _bound_to(place, row)
                case 1:
                    head, bound_to = 1, place.encode()
                case _:
                    raise InvalidTag
            text = head + _NONCE_BYTES
            return self._cipher.decrypt(sealed[head:text], sealed[text:], bound_to)
        except (InvalidTag, IndexError, ValueError) as error:  # the last two: cut short
            text_of_error = f"a sealed value of {place} does not open with this deployment's key"
            raise ConfigurationError(text_of_error) from error

    def digest(self, content: bytes) -> bytes:
        """Make a digest that nobody can make without the key of the deployment."""
        return hashlib.blake2b(content, key=self._journal_key, digest_size=DIGEST_BYTES).digest()

    def link(self, content: bytes) -> bytes:
        """Make a longer digest, for what people write down and compare later."""
        return hashlib.blake2b(content, key=self._journal_key, digest_size=LINK_BYTES).digest()


def _bound_to(place: str, row: tuple[str, ...]) -> bytes:
    """Name the place and the row, each apart, with the format and the key that seal it."""
    return _HEAD + _encode((place, *row))
