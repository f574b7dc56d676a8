"""Positions in made-up histories of the list, for tests that need no registry."""

from cache.changes import Position

LINE = "a"
OTHER_LINE = "b"


def change_id(version, line=LINE):
    """Return the id of a change: the same version of another line has another id."""
    return f"{line}{version:031x}"


def position(version, as_of_ms=0, line=LINE):
    """Return a place in the history that `line`, one hexadecimal digit, names."""
    return Position(
        version=version,
        as_of_ms=as_of_ms,
        change_id=change_id(version, line),
        history=line * 32,
    )
