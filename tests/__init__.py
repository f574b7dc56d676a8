"""The tests. A helper is imported by its path from here: `tests.support.town`."""
