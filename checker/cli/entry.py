"""The console script `checker`: it ends in order at Ctrl-C, also while the program is still read.

Imports nothing of the service at its top, so that a Ctrl-C in the first second finds the handler.
"""

import os
import signal
import sys
from typing import NoReturn

_INTERRUPTED = 130


def run() -> NoReturn:
    """Run the command that the arguments name, and exit with its code."""
    signal.signal(signal.SIGINT, _end_at_once)
    try:
        from checker.cli.main import main  # noqa: PLC0415 - the handler comes before the service

        main()
    except KeyboardInterrupt:
        _end_at_once()
    finally:
        # A Ctrl-C while Python ends would print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)


def _end_at_once(*_signal: object) -> NoReturn:
    """End the process. It has started nothing yet, or has closed everything already."""
    os.write(2, b"checker: interrupted\n")
    os._exit(_INTERRUPTED)
