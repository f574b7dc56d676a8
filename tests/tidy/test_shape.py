"""Sizes, names and reasons: the page of style, where a machine can hold it."""

import ast
import re
import tomllib

from tests.support.violations import assert_no_faults, assert_none
from tests.tidy.source_tree import (
    ROOT,
    all_python,
    modules,
    nodes,
    project_files,
    python_of_tests,
    read,
    shown,
    tree,
)

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "misc", "tools", "base"}
# Written once, then only read; the order of its steps is the schema's.
MIGRATIONS = "checker/database/migrations/versions/"
TEXT_SUFFIXES = {".py", ".toml", ".md", ".lua", ".lock"}
LEFT = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
SILENCED = re.compile("# no" + r"qa\b")
WITH_REASON = re.compile("# no" + r"qa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)* (?:- |\()\w")


def no_migrations():
    return [path for path in all_python() if not shown(path).startswith(MIGRATIONS)]


def functions(paths):
    return (
        (path, node)
        for path in paths
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def lines_with(pattern, paths):
    return (
        (path, number, line)
        for path in paths
        if pattern.search(read(path))
        for number, line in enumerate(read(path).splitlines(), 1)
        if pattern.search(line)
    )


def test_a_file_is_short_enough_to_be_read_in_one_go():
    lengths = {path: len(read(path).splitlines()) for path in all_python()}
    assert_none(
        f"{shown(path)}: {lines} lines" for path, lines in lengths.items() if lines > FILE_LINES_MAX
    )


def test_a_function_is_short_enough_to_be_seen_at_once():
    assert_none(
        f"{shown(path, node.lineno)}: {node.name} has {lines} lines"
        for path, node in functions(set(no_migrations()) & set(modules().values()))
        if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES_MAX
    )


def test_a_name_says_what_is_in_it():
    assert_none(
        shown(path)
        for path in all_python()
        if VAGUE & set(path.relative_to(ROOT).with_suffix("").parts)
    )


def test_a_file_says_what_it_knows():
    docstrings = {path: ast.get_docstring(tree(path)) or "" for path in no_migrations()}
    assert_none(
        f"{shown(path, 1)}: {text.partition(chr(10))[0] or 'no docstring'}"
        for path, text in docstrings.items()
        if not re.match(r"[`A-Z].*[.:?,](\n|$)", text)
    )


def test_nothing_is_left_for_later():
    texts = [
        path for path in project_files() if path.suffix in TEXT_SUFFIXES or "." not in path.name
    ]
    assert_none(f"{shown(path, number)}: {line}" for path, number, line in lines_with(LEFT, texts))


def test_a_silenced_rule_has_its_reason_beside_it():
    """As `noqa: B008 - frozen`: a bare code gives the next reader no reason."""
    assert_none(
        f"{shown(path, number)}: {line.strip()}"
        for path, number, line in lines_with(SILENCED, all_python())
        if not WITH_REASON.search(line)
    )


def test_a_rule_silenced_for_many_files_has_its_reason_too():
    text = read(ROOT / "pyproject.toml")
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    silenced = {
        *lint["ignore"],
        *(rule for rules in lint["per-file-ignores"].values() for rule in rules),
    }
    reasoned = {
        rule
        for line in text.splitlines()
        if "#" in line
        for rule in re.findall(r'"([A-Z]+[0-9]*)"', line.partition("#")[0])
    }

    assert silenced <= reasoned


def test_a_test_neither_skips_nor_sleeps_nor_patches():
    assert_none(
        f"{shown(path, node.lineno)}: {ast.unparse(node)}"
        for path in python_of_tests()
        for node in nodes(path)
        if (isinstance(node, ast.Call) and _sleeps(node))
        or (isinstance(node, ast.Attribute) and _skips_or_patches(node))
    )


def test_a_tests_name_is_a_sentence():
    assert_none(
        f"{shown(path, node.lineno)}: {node.name}"
        for path, node in functions(python_of_tests())
        if node.name.startswith("test_") and len(node.name.split("_")) < 4
    )


def test_a_test_draws_by_the_seed_of_the_run_or_by_a_constant():
    """`Random(seed)`: the fixture `seed` is shown when the test fails, and can be given again."""
    assert_none(
        f"{shown(path, node.lineno)}: {ast.unparse(node)}"
        for path in python_of_tests()
        if path.name != "seeds.py"
        for node in nodes(path)
        if isinstance(node, ast.Call) and _draws_anew(node)
    )


def test_the_fake_clock_is_one_class():
    assert_none(
        f"{shown(path, node.lineno)}: {node.name}"
        for path in python_of_tests()
        if path.name != "fake_clock.py"
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Clock")
    )


def test_no_table_unpacks_a_literal_into_itself():
    """`{*("a", "b"), "c"}` is `{"a", "b", "c"}`: a table has its rows, one beside the other."""
    faults = {
        shown(path): [
            f"{shown(path, node.lineno)}: {ast.unparse(node)}"
            for node in nodes(path)
            if isinstance(node, ast.Starred)
            and isinstance(node.value, ast.Tuple | ast.List | ast.Set)
        ]
        for path in all_python()
    }
    assert_no_faults(faults)


def _sleeps(call):
    """Return whether a call sleeps; to give way once (`sleep(0)`) is no sleep."""
    name = ast.unparse(call.func).rpartition(".")[2]
    return name == "sleep" and ast.unparse(call) != "asyncio.sleep(0)"


def _draws_anew(call):
    """Return whether a call draws from the operating system, or from a state nobody knows."""
    place, _, name = ast.unparse(call.func).rpartition(".")
    return (
        name in {"SystemRandom", "urandom"}
        or (name == "Random" and not call.args)
        or (place == "random" and name != "Random")
        or place == "secrets"
    )


def _skips_or_patches(attribute):
    if attribute.attr in {"skip", "skipif", "importorskip", "xfail"}:
        return ast.unparse(attribute.value).partition(".")[0] == "pytest"
    # The working directory and the variables of the environment are not ours: a test may set them.
    return attribute.attr == "setattr" and "monkeypatch" in ast.unparse(attribute.value)
