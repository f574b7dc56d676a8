"""Counts the faults that a verification finds, and keeps the first of them."""

from typing import Final

FAULTS_SHOWN_MAX: Final = 100


class Faults:
    """The number of faults, and the texts of the first `FAULTS_SHOWN_MAX`."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, fault: str, count: int = 1) -> None:
        """Add a fault. `count` is larger than 1 where one text stands for several faults."""
        self.count += count
        if len(self.first) < FAULTS_SHOWN_MAX:
            self.first.append(fault)
