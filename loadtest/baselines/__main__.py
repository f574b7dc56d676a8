"""Starts one baseline alone, until Ctrl-C.

python -m loadtest.baselines nginx --listings 1000 --workers 2
"""

import argparse
import signal
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtest.baselines.running import BASELINES, BaselinePlace, missing
from loadtest.generator import LOOPBACK
from loadtest.population import Population


def main() -> None:
    """Start the baseline that the command line names, and print its address."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.baselines", description=__doc__)
    parser.add_argument("name", choices=BASELINES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listings", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    if lacks := missing(options.name):
        sys.exit(f"{options.name} needs {lacks}")
    with TemporaryDirectory(prefix="baseline-") as folder:
        place = BaselinePlace(
            folder=Path(folder),
            population=Population(options.seed, options.listings),
            workers=options.workers,
        )
        with BASELINES[options.name](place) as port, suppress(KeyboardInterrupt):
            print(f"http://{LOOPBACK}:{port}", flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
