"""One test for a whole table: it collects all that is wrong, and shows all of it at once."""

from collections.abc import Iterable, Mapping


def assert_none(violations: Iterable[str]) -> None:
    """Fail with all violations, a line each; each begins with its place: a file, or a cell."""
    found = sorted(violations)
    assert not found, f"{len(found)} found:\n" + "\n".join(found)


def assert_no_faults(found: Mapping[str, Iterable[str]]) -> None:
    """Fail with the faults of all keys, a line each."""
    assert_none(fault for faults in found.values() for fault in faults)
