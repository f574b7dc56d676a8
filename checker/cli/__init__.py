"""The command line: one module for each command, `main` for all, `entry` for the console script."""
