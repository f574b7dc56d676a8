"""A server that faults befall; each test leaves it whole again, for the next file too.

The server ends with the last test of this package, because a server takes a tenth of a processor
even when nobody asks.
"""

from collections.abc import Iterator

import pytest

from tests.faults.faulty_service import WORKERS, in_force
from tests.support.private_folder import private_folder
from tests.support.running_service import RunningService, running_service


@pytest.fixture(scope="package")
def service() -> Iterator[RunningService]:
    """Two workers on embedded stores, with the town's list in force."""
    with (
        private_folder() as folder,
        running_service(folder, "serve", "--workers", str(WORKERS)) as running,
    ):
        in_force(running)
        yield running
