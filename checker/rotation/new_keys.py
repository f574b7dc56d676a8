"""Puts new keys into the secrets of a deployment, and takes ended keys out of them."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from checker.deployment_secrets import (
    ENCRYPTION_KEY_VARIABLE,
    TOKEN_KEY_VARIABLE,
    Secrets,
    are_in_environment,
    read_secrets,
    replace_secrets,
)
from checker.errors import ConfigurationError
from checker.rotation.waiting import Report
from checker.vault import KEY_BYTES, KEY_NUMBER_MAX


class SecretsOfMachine:
    """The secrets of this machine. Those of the environment are never changed.

    A key is named by its variable, because a deployment has keys of two uses.
    """

    def __init__(self, data_dir: Path, environ: Mapping[str, str], report: Report) -> None:
        self._data_dir = data_dir
        self._environ = environ
        self._report = report

    def add(self, variable: str, number: int) -> None:
        """Add a new key of this number.

        Raises:
            ConfigurationError: the secrets come from the environment, where an operator adds the
                key; or the number is too high; or the file cannot be written.
        """
        if are_in_environment(self._environ):
            raise ConfigurationError(
                f"the secrets come from the environment and hold no new key: make one"
                f" (openssl rand -base64 32), set {variable} to {number - 1}:OLD,{number}:NEW"
                " for all processes, restart them one after the other, and run this again"
                + (" (key 1 always stays)" if variable == TOKEN_KEY_VARIABLE else "")
            )
        if number > KEY_NUMBER_MAX:
            raise ConfigurationError(f"{KEY_NUMBER_MAX} is the last number that a key can have")
        secrets = read_secrets(self._data_dir, self._environ)
        keys = {**_keys(secrets, variable), number: os.urandom(KEY_BYTES)}
        replace_secrets(self._data_dir, _with(secrets, variable, keys))
        self._report(f"the {_name(variable)} {number} stands in {self._data_dir}/secrets.json")

    def forget_before(self, variable: str, number: int) -> None:
        """Take the keys of lower numbers out. The token key 1 is none of them: it makes tokens.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        secrets = read_secrets(self._data_dir, self._environ)
        keys = _keys(secrets, variable)
        kept = {each: key for each, key in keys.items() if each >= number}
        if len(kept) == len(keys):
            return
        if are_in_environment(self._environ):
            self._report(f"remove the keys before {number} from {variable}{_but_first(variable)}")
            return
        replace_secrets(self._data_dir, _with(secrets, variable, kept))
        self._report(f"{self._data_dir}/secrets.json has no {_name(variable)} before {number}")


def _keys(secrets: Secrets, variable: str) -> Mapping[int, bytes]:
    is_token = variable == TOKEN_KEY_VARIABLE
    return secrets.token_keys if is_token else secrets.encryption_keys


def _with(secrets: Secrets, variable: str, keys: Mapping[int, bytes]) -> Secrets:
    if variable == TOKEN_KEY_VARIABLE:
        return msgspec.structs.replace(secrets, token_keys=keys)
    return msgspec.structs.replace(secrets, encryption_keys=keys)


def _name(variable: str) -> str:
    return {TOKEN_KEY_VARIABLE: "token key", ENCRYPTION_KEY_VARIABLE: "encryption key"}[variable]


def _but_first(variable: str) -> str:
    return ", but for key 1" if variable == TOKEN_KEY_VARIABLE else ""
