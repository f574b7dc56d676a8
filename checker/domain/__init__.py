"""Documents, services, standings, measures, and the rules that turn them into decisions.

Pure: no input, no output, no clock of its own, and no import from the rest of `checker`.
"""
