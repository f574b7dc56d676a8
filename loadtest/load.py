"""Sends the load of sellers and a court to a running demo, by locust (`make load`).

    python -m loadtest.load                                  all scenarios for 20 seconds
    python -m loadtest.load TicketRush PublishingCourt       these alone
    python -m loadtest.load --arrivals 200                   customers at an open rate besides
    python -m loadtest.load --rush --html rush.html          the opening of a sale, with a report

Keys come from CHECKER_KEY and CHECKER_COURT_KEY. A missing key is made in the data directory of the
demo. The exit code is 1 after a wrong answer, or where a figure is above its budget.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from loadtest.children import checker_program, finished
from loadtest.generator import LOOPBACK

SCENARIOS = (
    "TicketRush",
    "HotelEvening",
    "AgencyManifests",
    "EnrolmentDay",
    "ResortCounter",
    "PublishingCourt",
)
RATE = "OpenRate"
KEYS = {"CHECKER_KEY": "institution", "CHECKER_COURT_KEY": "court"}
"""The variable of each key, and the role of its account."""

KEY_SECONDS = 60.0


def locust_command(options: argparse.Namespace) -> list[str]:
    """Return the command of the run."""
    files = ["loadtest.locustfile", *(["loadtest.rush_shape"] if options.rush else [])]
    scenarios = [*(options.scenarios or SCENARIOS), *([RATE] if options.arrivals else [])]
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary"]
    command += ["--locustfile", ",".join(map(_path, files))]
    command += ["--host", f"http://{LOOPBACK}:{options.port}"]
    command += ["--failures-max", str(options.failures_max)]
    command += ["--p99-ms-max", str(options.p99_ms_max), "--arrivals", str(options.arrivals)]
    if not options.rush:
        command += ["--users", str(options.users), "--spawn-rate", str(options.users)]
        command += ["--run-time", f"{options.seconds}s"]
    if options.html:
        command += ["--html", str(options.html)]
    return [*command, *scenarios]


def _path(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None, "a module of this package"
    return str(spec.origin)


def _new_key(variable: str, data_dir: Path) -> str:
    role = KEYS[variable]
    command = [str(checker_program()), "keys", "create", "--role", role, "--name", f"load {role}"]
    return finished([*command, "--data-dir", str(data_dir)], seconds=KEY_SECONDS).strip()


def load_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of these arguments; None: of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data-dir", type=Path, default=Path("checker-data"), help="of the demo")
    parser.add_argument("--users", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--arrivals", type=float, default=0.0, help="questions a second")
    parser.add_argument("--rush", action="store_true", help="users as when a sale opens")
    parser.add_argument("--html", type=Path, help="write locust's report into this file")
    parser.add_argument("--failures-max", type=float, default=0.001, help="share of requests")
    parser.add_argument("--p99-ms-max", type=float, default=500.0)
    options = parser.parse_args(arguments)
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return options


def main() -> None:
    """Make the keys that are missing, and become locust."""
    options = load_options()
    keys = {name: os.environ.get(name) or _new_key(name, options.data_dir) for name in KEYS}
    command = locust_command(options)
    os.execve(command[0], command, {**os.environ, **keys})  # noqa: S606 - signals are locust's


if __name__ == "__main__":
    main()
