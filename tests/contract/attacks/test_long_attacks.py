"""`make attacks`: every phase of schemathesis, with the key of each role.

`ATTACK_EXAMPLES` bounds the requests of each operation in each phase; `--seed` draws them again.
"""

import os
from pathlib import Path

import pytest

from checker.accounts.keys import AccountRole
from tests.contract.attacks.attacked import Attacked
from tests.contract.attacks.attacking import (
    EVERY_PHASE,
    FUZZING,
    Attack,
    Keys,
    operations_of,
    run_attack,
)
from tests.support.running_service import RunningService

pytestmark = pytest.mark.xdist_group("contract-attacks")

EXAMPLES = int(os.environ.get("ATTACK_EXAMPLES", "50"))
REFUSED_EXAMPLES = 3
"""The guard refuses a role before it reads anything of the request."""

EVERY_ROLE = pytest.mark.parametrize("role", AccountRole)


@EVERY_ROLE
def test_no_request_with_the_key_of_its_role_finds_anything(
    attacked_service: RunningService,
    keys: Keys,
    attacked: Attacked,
    role: AccountRole,
    seed: int,
    tmp_path: Path,
) -> None:
    attack = Attack(
        keys=dict.fromkeys(operations_of(role), keys[role]),
        attacked=attacked,
        phases=EVERY_PHASE,
        examples=EXAMPLES,
        seed=seed,
    )
    done = run_attack(attacked_service.url, attack, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@EVERY_ROLE
def test_no_request_with_the_key_of_another_role_is_granted(
    attacked_service: RunningService,
    keys: Keys,
    attacked: Attacked,
    role: AccountRole,
    seed: int,
    tmp_path: Path,
) -> None:
    attack = Attack(
        keys=dict.fromkeys(operations_of(role, granted=False), keys[role]),
        attacked=attacked._replace(is_granted=False),
        phases=FUZZING,
        examples=REFUSED_EXAMPLES,
        seed=seed,
    )
    done = run_attack(attacked_service.url, attack, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
