"""The secrets of a deployment: from the environment, or from a file of the data directory.

A deployment has a key of 32 bytes that turns documents into tokens (`cache.token`), and one or more
keys of 32 bytes that seal names and numbers (`checker.vault`). They come from the environment, or
from `secrets.json` in the data directory, which the first start makes with mode 0600. All are
base64:

    CHECKER_TOKEN_KEY=…        {"token_key": "…",
    CHECKER_ENCRYPTION_KEY=…    "encryption_key": "…"}

A deployment whose keys are replaced has several of them, each with its number. The keys of a
deployment that has replaced none have number 1:

    CHECKER_ENCRYPTION_KEY=1:…,2:…      "encryption_keys": {"1": "…", "2": "…"}
    CHECKER_TOKEN_KEY=1:…,2:…           "token_key": "…", "token_keys": {"2": "…"}

Token key 1 makes tokens and always stays. The further token keys encrypt tokens where they are
stored (`cache.token_key`).
"""

import base64
import binascii
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from checker.errors import ConfigurationError
from checker.vault import FIRST_KEY, KEY_BYTES, KEY_NUMBER_MAX

SECRETS_FILE = "secrets.json"
TOKEN_KEY_VARIABLE = "CHECKER_TOKEN_KEY"  # noqa: S105 - the name of a variable, not a secret
ENCRYPTION_KEY_VARIABLE = "CHECKER_ENCRYPTION_KEY"
SECRET_VARIABLES: Final = (TOKEN_KEY_VARIABLE, ENCRYPTION_KEY_VARIABLE)


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a deployment, 32 bytes each, by number but for the key that makes tokens.

    `token_keys` are the keys that encrypt stored tokens, from number 2 on.
    """

    token_key: bytes
    encryption_keys: Mapping[int, bytes]
    token_keys: Mapping[int, bytes] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a key of another length. Raises ValueError."""
        keys = self.encryption_keys
        if not keys or not all(FIRST_KEY <= number <= KEY_NUMBER_MAX for number in keys):
            raise ValueError(f"encryption keys have numbers from 1 to {KEY_NUMBER_MAX}")
        if not all(FIRST_KEY < number <= KEY_NUMBER_MAX for number in self.token_keys):
            raise ValueError(f"further token keys have numbers from 2 to {KEY_NUMBER_MAX}")
        token_keys = (self.token_key, *self.token_keys.values())
        if len(set(token_keys)) < len(token_keys):
            raise ValueError("a token key stands twice, so it would replace nothing")
        each = (*keys.values(), *token_keys)
        if any(len(key) != KEY_BYTES for key in each):
            raise ValueError(f"each key must be {KEY_BYTES} bytes, in base64")

    def __repr__(self) -> str:
        return "Secrets(…)"


class _SecretsFile(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    token_key: bytes
    token_keys: dict[int, bytes] = {}
    encryption_key: bytes | None = None
    encryption_keys: dict[int, bytes] | None = None


_decode_file = msgspec.json.Decoder(_SecretsFile).decode


def load_secrets(data_dir: Path, environ: Mapping[str, str]) -> Secrets:
    """Take the secrets from the environment, or from the data directory, made there at first.

    Order: both variables; else the file. One variable without the other is refused, because a
    half-configured deployment would write with a key that the next start does not have. Two first
    starts at once end with the same file.

    Raises:
        ConfigurationError: a key of another length, a file that others may read, or a file that
            cannot be written.
    """
    path = data_dir / SECRETS_FILE
    try:
        if not are_in_environment(environ) and not path.exists():
            _write_once(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    return read_secrets(data_dir, environ)


def read_secrets(data_dir: Path, environ: Mapping[str, str]) -> Secrets:
    """Return the secrets as `load_secrets` does, and make none. Raises as `load_secrets`."""
    given = [name for name in SECRET_VARIABLES if environ.get(name)]
    if len(given) == 1:
        raise ConfigurationError(f"{given[0]} is set but its sibling is not: set both or none")
    if given:
        try:
            token_keys = _numbered(environ[TOKEN_KEY_VARIABLE])
            return Secrets(
                token_key=token_keys.pop(FIRST_KEY),
                token_keys=token_keys,
                encryption_keys=_numbered(environ[ENCRYPTION_KEY_VARIABLE]),
            )
        except (binascii.Error, KeyError, ValueError) as error:
            names = " and ".join(SECRET_VARIABLES)
            text = f"{names} must each be {KEY_BYTES} bytes in base64, or numbered keys (1:…,2:…)"
            raise ConfigurationError(text) from error
    return _read(data_dir / SECRETS_FILE)


def are_in_environment(environ: Mapping[str, str]) -> bool:
    """Return whether the secrets come from the environment, and not from the file."""
    return any(environ.get(name) for name in SECRET_VARIABLES)


def encoded_secrets(secrets: Secrets) -> bytes:
    """Return the content of the file. Versions before rotations read one key alone."""
    keys = dict(secrets.encryption_keys)
    is_first = keys.keys() == {FIRST_KEY}
    file = _SecretsFile(
        token_key=secrets.token_key,
        token_keys=dict(secrets.token_keys),
        encryption_key=keys[FIRST_KEY] if is_first else None,
        encryption_keys=None if is_first else keys,
    )
    return msgspec.json.encode(file)


def replace_secrets(data_dir: Path, secrets: Secrets) -> None:
    """Put other secrets in the place of the file; a reader finds the old ones or the new ones.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    path = data_dir / SECRETS_FILE
    try:
        draft = _drafted(path, secrets)
        try:
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        folder = os.open(data_dir, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error


def _key(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _numbered(text: str) -> dict[int, bytes]:
    """Return the keys of a variable by number. Raises ValueError."""
    if ":" not in text:
        return {FIRST_KEY: _key(text)}
    keys: dict[int, bytes] = {}
    for part in text.split(","):
        number, _, key = part.strip().partition(":")
        if int(number) in keys:
            raise ValueError("a number stands twice")
        keys[int(number)] = _key(key)
    return keys


def _write_once(path: Path) -> None:
    """Write new secrets beside the path, and link them there, unless the path exists by then."""
    keys = {FIRST_KEY: os.urandom(KEY_BYTES)}
    draft = _drafted(path, Secrets(token_key=os.urandom(KEY_BYTES), encryption_keys=keys))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _drafted(path: Path, secrets: Secrets) -> Path:
    """Write a file beside the path, for its owner alone, and return its path."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encoded_secrets(secrets))
        file.flush()
        os.fsync(file.fileno())
    return draft


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
        file = _decode_file(content)
        keys = file.encryption_keys
        if file.encryption_key is not None:
            # Both would leave open which key has number 1.
            if keys is not None:
                raise ValueError("encryption_key and encryption_keys")
            keys = {FIRST_KEY: file.encryption_key}
        return Secrets(
            token_key=file.token_key, token_keys=file.token_keys, encryption_keys=keys or {}
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path} does not hold the two keys of a deployment") from error
