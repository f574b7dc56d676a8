"""The sentences of the source: docstrings and comments, each with its line."""

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.tidy.source_tree import nodes, read

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def docstrings(path: Path) -> tuple[tuple[int, str], ...]:
    """Return every docstring of a file, and the line where it opens."""
    return tuple(
        (node.body[0].lineno, text)
        for node in nodes(path)
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node, clean=False))
    )


@cache
def comments(path: Path) -> tuple[tuple[int, str], ...]:
    """Return every comment of a file; lines that follow each other in a column are one."""
    return tuple(_joined(read(path)))


def _joined(source: str) -> Iterator[tuple[int, str]]:
    first, last, column, lines = 0, 0, 0, []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        row, col = token.start
        if lines and (row, col) != (last + 1, column):
            yield first, "\n".join(lines)
            lines = []
        if not lines:
            first, column = row, col
        last = row
        lines.append(token.string.lstrip("#: "))
    if lines:
        yield first, "\n".join(lines)
