"""The seed of a run: every test that draws takes its draws from this one number.

`--seed N` sets the number; without the option each run draws a new one. The header of the run and
the report of each failed test that draws show the number. Hypothesis draws from the same number.
With xdist all workers have the number of the controller.

A test draws by `Random(seed)`, and a second time by `Random(seed + 1)`: never by the seed of the
operating system. Two kinds of tests keep a constant instead. The bound of the first kind is a
statistical one, which some seed passes by chance. The second kind compares golden bytes.
"""

from random import SystemRandom
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, settings

SEEDS = 1_000_000_000


class Node(Protocol):
    """A worker of xdist, as its controller sees the worker."""

    config: pytest.Config
    workerinput: dict[str, Any]


def add_option(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="draw all random tests from this number")


def configure(config: pytest.Config) -> None:
    """Settle the seed before the workers of xdist start and before Hypothesis reads its own."""
    if config.option.seed is None:
        drawn = SystemRandom().randrange(SEEDS)
        config.option.seed = getattr(config, "workerinput", {}).get("seed", drawn)
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(config.option.seed)
    # The profile that Hypothesis chooses in CI would pass over the seed. A deadline is a timed
    # assertion, and so is the check for slow draws.
    settings.register_profile(
        "seeded",
        parent=settings.get_profile("default"),
        derandomize=False,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("seeded")


def hand_over(node: Node) -> None:
    """Give the seed of the controller to a worker of xdist, before the worker starts."""
    node.workerinput["seed"] = node.config.option.seed


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add the seed to the report of a failed test that draws."""
    draws = "seed" in getattr(item, "fixturenames", ()) or getattr(
        getattr(item, "obj", None), "is_hypothesis_test", False
    )
    if draws and report.failed:
        report.sections.append(
            ("seed", f"Draw the same again: pytest --seed {item.config.option.seed}")
        )
