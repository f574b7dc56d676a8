"""Every command that manages the service writes an operator's action, and a new one is noticed."""

import ast
import importlib
import inspect
from collections.abc import Iterator

import click

from checker.cli.main import COMMANDS
from checker.operators.action import OperatorAction

LOGGED = {
    "accounts create": OperatorAction.CREATE_ACCOUNT,
    "accounts disable": OperatorAction.CHANGE_ACCOUNT,
    "accounts enable": OperatorAction.CHANGE_ACCOUNT,
    "accounts set-networks": OperatorAction.CHANGE_ACCOUNT,
    "accounts clear-flag": OperatorAction.CLEAR_FLAG,
    "keys create": OperatorAction.CREATE_KEY,
    "keys rotate": OperatorAction.ROTATE_KEY,
    "keys revoke": OperatorAction.REVOKE_KEY,
    "keys rotate-secrets": OperatorAction.ROTATE_ENCRYPTION_KEY,
    "rebuild": OperatorAction.REBUILD,
    "accept-older": OperatorAction.ACCEPT_OLDER_LIST,
    "import": OperatorAction.IMPORT_LIST,
    "receipts rotate": OperatorAction.ROTATE_RECEIPT_KEY,
    "receipts withdraw": OperatorAction.WITHDRAW_RECEIPT_KEY,
}
NOT_MANAGING = {
    "accounts list": "reads",
    "accounts show": "reads",
    "keys list": "reads",
    "status": "reads",
    "doctor": "reads",
    "backup": "reads",
    "restore": "loads a whole record, with the log in it; `--accept-older` is logged",
    "audit verify": "reads",
    "verify-receipt": "reads",
    "check": "asks, as an institution does",
    "batch": "asks, as an institution does",
    "feed follow": "each round is a change of the list, with the history of the list",
    "serve": "starts the service",
    "demo": "starts the service; its keys are logged by `create_named`",
}


def commands() -> Iterator[tuple[str, click.Command, str]]:
    """Yield every command with its full name and its module."""
    for name, place in COMMANDS.items():
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, click.Group):
            yield from ((f"{name} {each}", one, module) for each, one in found.commands.items())
        else:
            yield name, found, module


def test_every_command_is_logged_or_manages_nothing() -> None:
    assert sorted(name for name, _, _ in commands()) == sorted({*LOGGED, *NOT_MANAGING})


def test_every_logged_command_names_its_author() -> None:
    modules = {module for name, _, module in commands() if name in LOGGED}
    for module in modules:
        source = inspect.getsource(importlib.import_module(module))
        named = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        assert "AT_THE_SERVER" in named, module
