"""The command line: one module for each command, `main` for all."""

from checker.cli.main import main

__all__ = ["main"]
