"""Sizes, names and reasons: the page of style, where a machine can hold it."""

import ast
import re
import tomllib

import pytest

from tests.tidy.source_tree import ROOT, modules, project_files, python_of_tests, shown, tree

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "misc", "tools", "base"}
ALL_PYTHON = sorted({*modules().values(), *python_of_tests()})
# Written once, then only read; the order of its steps is the schema's.
MIGRATIONS = "checker/database/migrations/versions/"


@pytest.mark.parametrize("path", ALL_PYTHON, ids=shown)
def test_a_file_is_short_enough_to_be_read_in_one_go(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", modules().values(), ids=shown)
def test_a_function_is_short_enough_to_be_seen_at_once(path):
    if shown(path).startswith(MIGRATIONS):
        return
    long = [
        f"{node.name}: {lines}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long


@pytest.mark.parametrize("path", ALL_PYTHON, ids=shown)
def test_a_name_says_what_is_in_it(path):
    assert not VAGUE & set(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", ALL_PYTHON, ids=shown)
def test_a_file_says_what_it_knows(path):
    if shown(path).startswith(MIGRATIONS):
        return
    docstring = ast.get_docstring(tree(path))
    assert docstring
    assert docstring[0].isupper() or docstring[0] == "`"
    assert docstring.partition("\n")[0].endswith((".", ":", "?", ","))


@pytest.mark.parametrize("path", project_files(), ids=shown)
def test_nothing_is_left_for_later(path):
    if path.suffix in {".py", ".toml", ".md", ".lua", ".lock"} or "." not in path.name:
        words = re.findall(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b", path.read_text("utf-8"))
        assert not words


@pytest.mark.parametrize("path", ALL_PYTHON, ids=shown)
def test_a_silenced_rule_has_its_reason_beside_it(path):
    """As `noqa: B008 - frozen`: a bare code tells the next reader nothing."""
    lines = path.read_text(encoding="utf-8").splitlines()
    bare = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        if re.search("# no" + r"qa\b", line)
        and not re.search("# no" + r"qa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)* (?:- |\()\w", line)
    ]
    assert not bare


def test_a_rule_silenced_for_many_files_has_its_reason_too():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("path", python_of_tests(), ids=shown)
def test_a_test_neither_skips_nor_sleeps_nor_patches(path):
    wrong = [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Call) and _sleeps(node))
        or (isinstance(node, ast.Attribute) and _skips_or_patches(node))
    ]
    assert not wrong


@pytest.mark.parametrize("path", python_of_tests(), ids=shown)
def test_a_tests_name_is_a_sentence(path):
    names = [
        node.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_"
    ]
    assert not [name for name in names if len(name.split("_")) < 4]


def _sleeps(call):
    """To give way once (`sleep(0)`) is no sleep."""
    name = ast.unparse(call.func).rpartition(".")[2]
    return name == "sleep" and ast.unparse(call) != "asyncio.sleep(0)"


def _skips_or_patches(attribute):
    if attribute.attr in {"skip", "skipif", "importorskip", "xfail"}:
        return ast.unparse(attribute.value).partition(".")[0] == "pytest"
    # What of the environment a test may change is not ours: the working directory, variables.
    return attribute.attr == "setattr" and "monkeypatch" in ast.unparse(attribute.value)
