"""Runs schemathesis against a server, in a process of its own.

schemathesis draws requests from the OpenAPI document, such that fit it and such that do not, and
checks each answer. `tests.contract.attacks.hooks` knows what the document does not say.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from checker.accounts.keys import MAY, AccountRole
from checker.api.operation import KeyUse, Operation
from checker.api.routes import OPERATIONS
from tests.contract.attacks.attacked import VARIABLE, Attacked

ROOT = Path(__file__).parents[3]
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
SETTINGS = Path(__file__).with_name("schemathesis.toml")

EVERY_PHASE = "examples,coverage,fuzzing,stateful"
FUZZING = "fuzzing"
PATIENCE_S = 60
"""A batch of ten thousand listed persons takes some seconds on a busy machine."""


Keys = Mapping[AccountRole, str]


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """One run of schemathesis: how it draws requests, and with which key it sends them.

    `keys` maps the id of each attacked operation to a key. `examples` bounds the requests of one
    operation in one phase.
    """

    keys: Mapping[str, str]
    attacked: Attacked
    phases: str
    examples: int
    seed: int


def operations_of(role: AccountRole, *, granted: bool = True) -> list[str]:
    """Return the ids of the operations that this role may call, or else those that it may not."""
    return [each.operation_id for each in OPERATIONS if _may_call(role, each) is granted]


def _may_call(role: AccountRole, operation: Operation) -> bool:
    return operation.key is not KeyUse.REQUIRED or bool(MAY[role] & operation.may)


def run_attack(url: str, attack: Attack, folder: Path) -> subprocess.CompletedProcess[str]:
    """Attack a server. The output names each fault, and a request that shows it again.

    `folder` takes the files that schemathesis leaves behind.
    """
    settings = folder / "schemathesis.toml"
    settings.write_text(SETTINGS.read_text(encoding="utf-8") + _keys_as_settings(attack.keys))
    command = [SCHEMATHESIS, "--config-file", str(settings), "run", f"{url}/openapi.json"]
    command += ["--phases", attack.phases, "--max-examples", str(attack.examples)]
    command += ["--seed", str(attack.seed), "--request-timeout", str(PATIENCE_S)]
    command += ["--continue-on-failure", "--no-color", "--warnings", "off"]
    command += ["--generation-database", "none"]
    for operation_id in attack.keys:
        command += ["--include-operation-id", operation_id]
    environ = os.environ | {
        VARIABLE: json.dumps(attack.attacked._asdict()),
        "SCHEMATHESIS_HOOKS": "tests.contract.attacks.hooks",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, check=False
    )


def _keys_as_settings(keys: Mapping[str, str]) -> str:
    return "".join(
        f"\n[[operations]]\ninclude-operation-id = {json.dumps(operation_id)}\n"
        f"headers = {{ Authorization = {json.dumps(f'Bearer {key}')} }}\n"
        for operation_id, key in keys.items()
    )
