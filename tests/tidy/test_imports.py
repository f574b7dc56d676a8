"""Imports run downwards, as the design's table of parts says; nothing is dead."""

import ast

import pytest
from source_tree import imported, modules, python_of_tests, shown, tree

from checker.cli.main import COMMANDS

# Each part, and what it may know besides itself; what stands in no row may know everything.
MAY_KNOW = {
    "cache": set(),
    "loadtest": set(),
    "checker.domain": set(),
    "checker.errors": set(),
    "checker.fault_log": set(),
    "checker.logs": {"checker.domain", "checker.errors", "checker.fault_log"},
    "checker.parent": set(),
    "checker.policy": {"checker.domain"},
    "checker.decoding": {"checker.errors"},
    "checker.vault": {"checker.errors"},
    "checker.config": {"checker.domain", "checker.errors", "checker.logs", "checker.policy"},
    "checker.database": {"cache", "checker.errors"},
    "checker.registry": {
        *("cache", "checker.database", "checker.decoding", "checker.domain"),
        *("checker.errors", "checker.fault_log", "checker.vault"),
    },
    "checker.accounts": {
        *("cache", "checker.database", "checker.domain", "checker.errors", "checker.fault_log"),
    },
    "checker.audit": {
        *("checker.database", "checker.domain", "checker.errors", "checker.fault_log"),
        "checker.vault",
    },
    "checker.receipts": {
        *("checker.database", "checker.domain", "checker.errors", "checker.fault_log"),
        "checker.vault",
    },
    "checker.notices": {
        *("checker.audit", "checker.database", "checker.domain", "checker.errors"),
        *("checker.fault_log", "checker.registry", "checker.vault"),
    },
    "checker.deployment": {
        *("checker.database", "checker.errors", "checker.registry", "checker.vault"),
    },
    "checker.spending": {
        *("cache", "checker.audit", "checker.database", "checker.domain", "checker.errors"),
        *("checker.fault_log", "checker.policy", "checker.registry", "checker.vault"),
    },
    "checker.corrections": {
        *("checker.audit", "checker.database", "checker.domain", "checker.errors"),
        "checker.registry",
    },
    "checker.checks": {
        *("cache", "checker.accounts", "checker.audit", "checker.database", "checker.decoding"),
        *("checker.domain", "checker.errors", "checker.policy", "checker.receipts"),
        *("checker.registry", "checker.spending"),
    },
    "checker.reconciliation": {
        *("cache", "checker.accounts", "checker.checks", "checker.database", "checker.decoding"),
        *("checker.domain", "checker.errors", "checker.fault_log", "checker.policy"),
        "checker.registry",
    },
    "checker.following": {
        *("checker.database", "checker.decoding", "checker.domain", "checker.errors"),
        "checker.registry",
    },
    "checker.joining": {
        *("cache", "checker.audit", "checker.database", "checker.deployment", "checker.domain"),
        *("checker.errors", "checker.policy", "checker.registry"),
    },
    "checker.foundation": {
        *("cache", "checker.accounts", "checker.config", "checker.database", "checker.domain"),
        *("checker.errors", "checker.joining", "checker.policy"),
        *("checker.registry", "checker.vault"),
    },
    "checker.runtime": {
        *("checker.foundation", "checker.joining"),
        *("cache", "checker.accounts", "checker.audit", "checker.checks", "checker.config"),
        *("checker.corrections", "checker.database", "checker.deployment", "checker.domain"),
        *("checker.errors", "checker.fault_log", "checker.notices", "checker.policy"),
        *("checker.receipts", "checker.reconciliation", "checker.registry"),
        *("checker.spending", "checker.vault"),
    },
    "checker.upkeep": {"cache", "checker.fault_log", "checker.joining", "checker.runtime"},
    "checker.servers": {"cache", "checker.config", "checker.database", "checker.errors"},
    "checker.supervision": set(),
    "checker.publishing": {
        *("checker.config", "checker.joining", "checker.logs", "checker.parent"),
        *("checker.runtime", "checker.supervision"),
    },
    "checker.api": {
        *("cache", "checker.accounts", "checker.audit", "checker.checks", "checker.config"),
        *("checker.corrections", "checker.database", "checker.decoding", "checker.domain"),
        *("checker.errors", "checker.fault_log", "checker.logs", "checker.notices"),
        *("checker.parent", "checker.receipts", "checker.reconciliation"),
        *("checker.registry", "checker.runtime", "checker.spending", "checker.upkeep"),
    },
}
# The top: it puts the parts together.
TOP = {"checker", "checker.cli", "checker.server", "checker.demo"}
FOUNDATIONS = ("checker.domain", "checker.policy", "checker.errors")
DRIVERS = {"redis", "asyncpg", "sqlalchemy", "alembic", "litestar", "granian", "click"}
ENTRIES = {
    "checker.cli",
    # Read in by name.
    *(place.partition(":")[0] for place in COMMANDS.values()),
    # Found by Alembic in their folder.
    "checker.database.migrations.env",
    # The specifications of the store, kept beside it; the tests run over both.
    "cache.memory",
    "cache.memory_following",
    "cache.memory_publication",
    "checker.spending.memory_store",
    # Run by locust from its file.
    "loadtest.locustfile",
}


def part_of(module: str) -> str:
    package, _, rest = module.partition(".")
    return f"{package}.{rest.partition('.')[0]}" if package == "checker" and rest else package


@pytest.mark.parametrize("module", modules())
def test_a_module_knows_only_the_parts_below_it(module):
    part = part_of(module)
    known = {part_of(name) for name in imported(modules()[module])} - {part, "checker"}
    if part in TOP:
        assert not {name for name in known if name.startswith("loadtest")}
    else:
        assert known <= MAY_KNOW[part]


@pytest.mark.parametrize("module", modules())
def test_a_module_knows_nothing_of_tests(module):
    assert "tests" not in outside(module)


@pytest.mark.parametrize("part", FOUNDATIONS)
def test_the_foundations_know_no_driver(part):
    known = {name for module in modules() if part_of(module) == part for name in outside(module)}

    assert not known & DRIVERS


def test_every_part_has_its_row():
    assert {part_of(module) for module in modules()} == MAY_KNOW.keys() | TOP


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
    names = [path.name for path in python_of_tests() if path.name != "conftest.py"]

    assert sorted(name for name in names if names.count(name) > 1) == []


def outside(module: str) -> set[str]:
    """Top-level names of whatever a module imports."""
    found = set()
    for node in ast.walk(tree(modules()[module])):
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
