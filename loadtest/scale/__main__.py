"""Beyond one machine: machines, memory, money and failures of three registers.

    python -m loadtest.scale                         prints the tables
    python -m loadtest.scale --core-month-yuan 90    ... by another assumption
    python -m loadtest.scale --write                 writes the tables into docs/scale.md

Edit `loadtest/scale/measured.toml` after a benchmark, and run with `--write`. `docs/scale.md` says
which command gives each figure.
"""

import argparse

import msgspec

from loadtest.scale.inputs import ASSUMED, Assumptions, load_measured
from loadtest.scale.page import PAGE, SEED, sections
from loadtest.table import DOCS, write_between_markers


def main() -> None:
    """Print the tables, and write them into the page if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    defaults = msgspec.structs.asdict(Assumptions())
    for name, default in defaults.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=type(default), default=default, help=ASSUMED[name])
    parser.add_argument("--seed", type=int, default=SEED, help="of the arrivals")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE}")
    options = parser.parse_args()
    assumed = Assumptions(**{name: getattr(options, name) for name in defaults})
    for name, text in sections(load_measured(), assumed, options.seed).items():
        print(f"{name}\n\n{text}\n")
        if options.write:
            write_between_markers(DOCS / PAGE, name, text)


if __name__ == "__main__":
    main()
