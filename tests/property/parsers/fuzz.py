"""Runs the fuzzer (atheris, libFuzzer) on one parser: `make fuzz PARSER=name SECONDS=60`.

The fuzzer begins with the examples of the parser and with its kept corpus. Inputs that reach new
branches go to the folder `--found`. An input at fault is written there as `PARSER-crash-…`, and the
run ends with the error: add the input to the corpus of the parser, and mend the fault.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["checker", "stdnum", "joserfc"]):
    from tests.property.parsers.parsers import PARSERS, corpus_of, hold

INPUT_BYTES_MAX = 4_096
"""An input of a few lines or cells; a longer one reaches no other branch."""
SLOW_S = 5
"""An input of this size that takes so long is a fault: a parser is not linear there."""


def main() -> None:
    asked = ArgumentParser(description=__doc__)
    asked.add_argument("parser", choices=sorted(PARSERS))
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--found", type=Path, default=Path("build/fuzz"))
    options = asked.parse_args()
    parser = PARSERS[options.parser]
    found = options.found / options.parser
    found.mkdir(parents=True, exist_ok=True)
    for number, known in enumerate(parser.examples + corpus_of(options.parser)):
        (found / f"known-{number}").write_bytes(known)
    words = found.parent / f"{options.parser}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in parser.words))

    def read(data: bytes) -> None:
        hold(parser, data)

    arguments = [
        sys.argv[0],
        str(found),
        f"-max_total_time={options.seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={SLOW_S}",
        f"-seed={options.seed}",
        f"-artifact_prefix={found.parent}/{options.parser}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([*arguments, f"-dict={words}"] if parser.words else arguments, read)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main()
