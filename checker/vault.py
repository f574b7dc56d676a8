"""The secrets of a deployment, and the sealing of personal fields at rest.

A deployment has two keys of 32 bytes: one turns documents into tokens, one seals names and numbers
with AES-256-GCM. They come from the environment (`CHECKER_TOKEN_KEY`, `CHECKER_ENCRYPTION_KEY`,
both base64) or from `secrets.json` in the data directory, which the first start makes with mode
0600.

A sealed field:

    byte 0       format, 1
    bytes 1-12   nonce, random
    bytes 13-    ciphertext and the 16-byte tag

The field's place (`listing.party_name`) is authenticated with it, so that a sealed value copied
into another column does not open.
"""

import base64
import binascii
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

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_HEAD_BYTES = len(_FORMAT) + _NONCE_BYTES


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
        ConfigurationError: a key of another length, or a file that others may read.
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
    if not path.exists():
        _write_once(path)
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
    """Seals and opens personal fields with one key."""

    def __init__(self, encryption_key: bytes) -> None:
        self._cipher = AESGCM(encryption_key)

    def seal(self, text: str, place: str) -> bytes:
        """Seal a text for one place (table and column); no two sealings are alike."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), place.encode())
        return _FORMAT + nonce + sealed

    def open(self, sealed: bytes, place: str) -> str:
        """Open what was sealed for that place.

        Raises:
            ConfigurationError: another key, another place, or a damaged value.
        """
        try:
            if sealed[:1] != _FORMAT:
                raise InvalidTag
            opened = self._cipher.decrypt(
                sealed[1:_HEAD_BYTES], sealed[_HEAD_BYTES:], place.encode()
            )
        except (InvalidTag, ValueError) as error:  # ValueError: cut short
            text = f"a sealed value of {place} does not open with this deployment's key"
            raise ConfigurationError(text) from error
        return opened.decode()
