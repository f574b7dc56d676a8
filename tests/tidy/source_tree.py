"""The project's own files, parsed: what the tidy tests look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("checker", "cache", "loadtest")
_BUILT = {
    ".venv",
    "checker-data",
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


def python_of_tests() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def shown(path: Path) -> str:
    """A path as a failing test should name it."""
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Modules of ours that a file imports, or names in a text as servers do (`module:function`)."""
    for node in ast.walk(tree(path)):
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
