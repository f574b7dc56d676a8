"""Imports run downwards, as the design's table of parts says; nothing is dead."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

from checker.cli.main import COMMANDS
from tests.support.violations import assert_none
from tests.tidy.source_tree import (
    ROOT,
    imported,
    modules,
    nodes,
    python_of_tests,
    read,
    shown,
    tree,
)

# The table of places in CONTRIBUTING.md: lowest first, and each may import those above its row.
PLACES = [
    place.removesuffix("/").removesuffix(".py").replace("/", ".")
    for place in re.findall(r"^\| `([a-z_/.]+)` \|", read(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
]
INDEPENDENT = ("cache", "checker.domain")
FOUNDATIONS = ("checker.domain", "checker.policy", "checker.errors")
DRIVERS = {"redis", "asyncpg", "sqlalchemy", "alembic", "httptools", "litestar", "uvicorn", "click"}
UNNAMED = {"conftest.py", "__init__.py"}
ENTRIES = {
    "checker.cli.entry",
    # Imported by sellers.
    "checker.client",
    # Read in by name.
    *(place.partition(":")[0] for place in COMMANDS.values()),
    "checker.node.trial",
    # Found by Alembic in their folder.
    "checker.database.migrations.env",
    # The specifications of the store, kept beside it; the tests run over both.
    "cache.memory",
    "cache.memory_replica_source",
    "cache.memory_list_writer",
    "checker.spending.memory_store",
    # Run by locust from its file.
    "loadtest.locustfile",
}


def place_of(module: str) -> str:
    """Return the place a module stands in; the package `checker` itself is no place."""
    package, _, rest = module.partition(".")
    return f"{package}.{rest.partition('.')[0]}" if package == "checker" and rest else package


def test_every_place_has_its_row_once():
    assert sorted(PLACES) == sorted({place_of(module) for module in modules()} - {"checker"})


def test_a_module_imports_only_places_above_its_own_in_the_table():
    assert_none(
        f"{shown(path)}: {module} imports {name}"
        for module, path in modules().items()
        if module != "checker"
        for name in {place_of(name) for name in imported(path)} - {"checker"}
        if PLACES.index(name) > PLACES.index(place_of(module))
    )


def test_what_could_be_lifted_out_knows_no_other_place():
    known = {
        (place_of(module), place_of(name))
        for module in modules()
        if place_of(module) in INDEPENDENT
        for name in imported(modules()[module])
    }
    assert {(place, other) for place, other in known if other not in {place, "checker"}} == set()


def test_a_module_knows_nothing_of_tests():
    assert_none(shown(path) for path in modules().values() if "tests" in outside(path))


def test_the_foundations_know_no_driver():
    assert_none(
        f"{shown(path)}: {driver}"
        for module, path in modules().items()
        if place_of(module) in FOUNDATIONS
        for driver in outside(path) & DRIVERS
    )


def test_no_module_is_dead():
    alive = set()
    waiting = ENTRIES | {module for module in modules() if is_run(module)}
    while waiting:
        module = waiting.pop()
        alive.add(module)
        parents = {module.rpartition(".")[0]} & modules().keys()
        waiting |= ({*imported(modules()[module])} | parents) - alive
    migrations = {name for name in modules() if "migrations.versions" in name}

    assert modules().keys() - alive - migrations == set()


def test_every_entry_is_there():
    assert modules().keys() >= ENTRIES


def test_test_files_have_names_of_their_own():
    names = [path.name for path in python_of_tests() if path.name not in UNNAMED]

    assert sorted(name for name in names if names.count(name) > 1) == []


def test_a_helper_of_tests_is_imported_by_its_path_from_the_root():
    """The folder of a test is no place to import from: `from tests.support.town import TOWN`."""
    helpers = {path.stem for path in python_of_tests()} - {"conftest", "__init__"}
    assert_none(
        f"{shown(path)}: {name}"
        for path in python_of_tests()
        for name in outside(path) & helpers - set(sys.stdlib_module_names)
    )


def test_a_helper_of_one_folder_is_imported_in_that_folder_alone():
    assert_none(
        f"{shown(path, node.lineno)}: {node.module}"
        for path in python_of_tests()
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.module.startswith("tests.")
        and not node.module.startswith("tests.support")
        and not node.module.startswith(".".join(path.relative_to(ROOT).parent.parts))
    )


@cache
def outside(path: Path) -> set[str]:
    """Top-level names of whatever a file imports."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def is_run(module: str) -> bool:
    """Whether `python -m` runs it."""
    guard = "if __name__ == '__main__':"
    return any(ast.unparse(node).startswith(guard) for node in tree(modules()[module]).body)


def test_the_search_for_dead_modules_starts_where_something_is_run():
    run = {shown(modules()[module]) for module in modules() if is_run(module)}

    assert "loadtest/bench.py" in run
    assert "checker/vault.py" not in run
