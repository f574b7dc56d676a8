"""The server of the tests of the contract: two workers, a key for each role, no list."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.private_folder import private_folder
from tests.support.running_service import ROLES, SETTINGS, RunningService, running_service
from tests.support.town import MARKS


@contextmanager
def contract_service() -> Iterator[RunningService]:
    """Run a server of two workers with a key for each role; its log names nobody."""
    workers = ("--workers", "2")
    with (
        private_folder() as folder,
        running_service(folder, "serve", *workers, settings=SETTINGS) as running,
    ):
        running.make_keys(
            {role: ("--role", role) for role in ROLES}
            | {
                "rail only": ("--role", "institution", "--services", "rail"),
                "leizhou": ("--role", "institution", "--jurisdiction", "440882"),
            }
        )
        yield running
        log = running.log()
        assert not [mark for mark in MARKS if mark in log], "the log holds a number or a name"
        assert "unexpected" not in log, log
