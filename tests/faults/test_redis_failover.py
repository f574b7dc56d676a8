"""Redis fails over to a replica by its sentinels, and the service follows by itself."""

from time import monotonic

import pytest

from tests.faults.faulty_service import (
    RIGHT,
    WORKERS,
    answered,
    change,
    in_force,
    is_ready,
    outcomes,
    shield,
)
from tests.faults.watched_redis import watched_redis
from tests.support.postgres_template import place_upgraded_data
from tests.support.private_folder import private_folder
from tests.support.running_service import PATIENCE_S, running_service, wait_until
from tests.support.town import DEBTOR, INNOCENT

pytestmark = pytest.mark.xdist_group("failover")


def test_a_service_follows_the_master_that_the_sentinels_name() -> None:
    with private_folder() as folder, watched_redis(folder) as watched:
        data_dir = folder / "data"
        data_dir.mkdir(mode=0o700)
        place_upgraded_data(data_dir / "postgres")
        named = {"REDIS_URL": watched.url}
        with running_service(folder, "serve", "--workers", str(WORKERS), named=named) as service:
            in_force(service)
            wait_until(lambda: is_ready(service))
            assert outcomes(service) == RIGHT
            watched.kill_master()
            gives_up_at = monotonic() + PATIENCE_S
            while not watched.is_promoted():
                assert monotonic() < gives_up_at, "no sentinel names the replica"
                assert set(answered(service, DEBTOR)) <= {"deny"}
                assert set(answered(service, INNOCENT)) <= {"allow"}
            wait_until(lambda: is_ready(service))
            assert outcomes(service) == RIGHT
            # The new master carries changes to every worker.
            change(service, shield())
            assert set(answered(service, DEBTOR)) == {"allow"}
            change(service, shield("unshield"))
            assert set(answered(service, DEBTOR)) == {"deny"}
