"""While a store is away and when it comes back, no answer is wrong.

The answers meanwhile stand in the table of outages (`test_outages`).
"""

import psutil
import pytest

from tests.faults.faulty_service import (
    ASKED,
    RIGHT,
    change,
    in_force,
    outcomes,
    put,
    redis_of,
)
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    PATIENCE_S,
    running_service,
)
from tests.support.town import TOWN, ndjson

pytestmark = pytest.mark.xdist_group("faults")

FREED = [("allow", "allow")] * ASKED


def test_without_redis_the_registry_answers_and_a_new_list_is_in_force() -> None:
    with private_folder() as folder, running_service(folder) as service:
        in_force(service)
        redis = redis_of(service)
        redis.kill()
        psutil.wait_procs([redis], timeout=PATIENCE_S)
        assert outcomes(service) == RIGHT
        assert put(service, ndjson(TOWN[1:])).status_code == 200
        assert outcomes(service) == FREED
        change(service, {"op": "list", "listing": TOWN[0]})
        assert outcomes(service) == RIGHT
