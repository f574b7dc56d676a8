"""No secret is compared by `==`, which takes longer the more of the text is right.

A key is looked up by its digest, so the time of the look-up says nothing about the key. Tokens of
forms, signatures and commitments are compared by `compare_digest`.
"""

import ast
import re

from tests.support.violations import assert_none
from tests.tidy.source_tree import modules, nodes, shown

# The last word of a name decides: `form_token`, `self._authorization`.
SECRET = re.compile(
    r"(?:^|_)(?:secret|password|cookie|signature|hmac|mac|opening|jws|form_token|api_key"
    r"|authorization)$"
)

# Comparisons of names like these, each with its reason.
ALLOWED: dict[str, str] = {
    "checker/journal/verification.py: mac": "both are the row's, and a command alone reads them",
    "checker/receipts/signature.py: signature": "its spelling is compared with itself",
    "checker/serving/lane_protocol.py: _authorization": "both are of one caller",
    "checker/serving/lane_protocol.py: authorization": "both are of one caller",
}


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def compared(tree_nodes) -> list[tuple[int, str]]:
    """Return the line and the name of each secret that is compared with another value by `==`."""
    return [
        (node.lineno, name_of(side))
        for node in tree_nodes
        if isinstance(node, ast.Compare)
        and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops)
        # A constant is no secret.
        and not any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))
        for side in (node.left, *node.comparators)
        if SECRET.search(name_of(side))
    ]


def found() -> dict[str, str]:
    return {
        f"{shown(path)}: {name}": f"{shown(path, line)}: {name}"
        for path in modules().values()
        for line, name in compared(nodes(path))
    }


def test_no_secret_is_compared_by_its_characters():
    assert_none(place for key, place in found().items() if key not in ALLOWED)


def test_every_comparison_that_is_allowed_is_there():
    assert set(ALLOWED) <= set(found())


def test_the_search_finds_a_comparison_of_a_secret():
    text = "a.form_token == sent\nsent != signature(x)\nsecret == ''\nkind == token_kind\n"
    assert [line for line, _ in compared(ast.walk(ast.parse(text)))] == [1, 2]
