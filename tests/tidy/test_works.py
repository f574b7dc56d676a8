"""A loop that never ends by itself is a `checker.work.Work`, so that no fault ends it unseen."""

import ast

from tests.tidy.source_tree import modules, tree

EXCEPTIONS = {
    # The supervisor itself.
    "checker.work",
    # A command in the foreground: its user sees it end, and its pauses depend on the fault.
    "checker.connector.connector",
    # Lasts as long as one request, and ends with it.
    "checker.api.feed_terms",
    # In the process of a seller: ends with an answer, or with the patience of the client.
    "checker.client.clients",
}
PAUSES = {"pause", "sleep", "wait", "wait_for"}


def test_an_endless_loop_around_a_pause_stands_in_the_supervisor_alone():
    found = {
        module
        for module, path in modules().items()
        if module.startswith(("cache", "checker"))
        for loop in ast.walk(tree(path))
        if isinstance(loop, ast.While) and is_endless(loop) and pauses(loop)
    }
    assert found == EXCEPTIONS


def is_endless(loop: ast.While) -> bool:
    return isinstance(loop.test, ast.Constant) and bool(loop.test.value)


def pauses(loop: ast.While) -> bool:
    return any(
        isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).rpartition(".")[2] in PAUSES
        for node in ast.walk(loop)
    )
