"""The project's own files, parsed: what the tidy tests look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("checker", "cache", "loadtest")
_BUILT = {
    ".venv",
    ".venv-fuzz",
    "checker-data",
    ".site",
    ".git",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, without what tools and runs leave behind."""
    return tuple(
        sorted(
            path
            for top in ROOT.iterdir()
            if top.name not in _BUILT
            for path in ([top] if top.is_file() else top.rglob("*"))
            if path.is_file()
            and not {"__pycache__", "node_modules"} & {*path.parts}
            and ".egg-info" not in str(path)
        )
    )


@cache
def modules() -> dict[str, Path]:
    """Modules of the packages, by dotted name; a package has the name of its folder."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


@cache
def python_of_tests() -> tuple[Path, ...]:
    return tuple(sorted((ROOT / "tests").rglob("*.py")))


@cache
def all_python() -> tuple[Path, ...]:
    return tuple(sorted({*modules().values(), *python_of_tests()}))


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(read(path), filename=str(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file's tree."""
    return tuple(ast.walk(tree(path)))


def shown(path: Path, line: int | None = None) -> str:
    """A place as a failing test names it: `checker/vault.py:12`."""
    return str(path.relative_to(ROOT)) + (f":{line}" if line else "")


@cache
def imported(path: Path) -> frozenset[str]:
    """Modules of ours that a file imports, or names in a text as servers do (`module:function`)."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        match node:
            case ast.Import(names=names):
                found = [name.name for name in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found = [module, *(f"{module}.{name.name}" for name in names)]
            case ast.Constant(value=str(text)):
                found = [text.partition(":")[0]]
            case _:
                found = []
        yield from (name for name in found if name in modules())
