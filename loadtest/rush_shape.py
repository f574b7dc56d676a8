"""The shape of a ticket rush for locust: a quiet minute, the opening of a sale, and its ebb.

The file is loaded beside the locustfile (`python -m loadtest.load --rush`). A shape replaces the
number of users and the time of the command line.
"""

from typing import NamedTuple

from locust import LoadTestShape


class RushStage(NamedTuple):
    """The users of one stage, which ends so many seconds after the start of the run."""

    ends_s: float
    users: int
    spawned_per_second: float


STAGES = (
    RushStage(10, 5, 5),
    RushStage(40, 100, 50),
    RushStage(55, 40, 40),
    RushStage(65, 10, 40),
)


class RushShape(LoadTestShape):
    """Twenty times the users within two seconds, for half a minute."""

    def tick(self) -> tuple[int, float] | None:
        """Return users and spawn rate of the present stage; None after the last stage."""
        now_s = self.get_run_time()
        stage = next((stage for stage in STAGES if now_s < stage.ends_s), None)
        return None if stage is None else (stage.users, stage.spawned_per_second)
