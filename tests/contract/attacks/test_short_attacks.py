"""Some requests that schemathesis draws find no answer that the OpenAPI document does not describe.

`make attacks` sends thousands of them, with the keys of each role to every operation.
"""

from pathlib import Path

import pytest

from checker.accounts.keys import AccountRole
from checker.api.routes import OPERATIONS
from tests.contract.attacks.attacked import Attacked
from tests.contract.attacks.attacking import FUZZING, Attack, Keys, operations_of, run_attack
from tests.support.running_service import RunningService

pytestmark = pytest.mark.xdist_group("contract-attacks")

EXAMPLES = 3
SEED = 1


def test_some_requests_to_each_operation_find_nothing(
    attacked_service: RunningService, keys: Keys, attacked: Attacked, tmp_path: Path
) -> None:
    of_a_role = {
        operation_id: keys[role] for role in AccountRole for operation_id in operations_of(role)
    }
    attack = Attack(keys=of_a_role, attacked=attacked, phases=FUZZING, examples=EXAMPLES, seed=SEED)
    done = run_attack(attacked_service.url, attack, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(OPERATIONS)}" in done.stdout
