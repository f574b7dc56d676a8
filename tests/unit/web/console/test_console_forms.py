"""Every form of the console writes an operator's action, and a form without one is noticed."""

from litestar.handlers import HTTPRouteHandler

from checker.api.routes import OPERATIONS
from checker.operators.action import OperatorAction
from checker.web.console.room import CONSOLE, LOGS
from checker.web.routes import SITE

BY_COMMANDS_ALONE = {
    OperatorAction.ACCEPT_OLDER_LIST,
    OperatorAction.IMPORT_LIST,
    OperatorAction.ROTATE_RECEIPT_KEY,
    OperatorAction.WITHDRAW_RECEIPT_KEY,
    OperatorAction.ROTATE_ENCRYPTION_KEY,
    OperatorAction.END_ENCRYPTION_KEY,
    OperatorAction.ROTATE_TOKEN_KEY,
    OperatorAction.END_TOKEN_KEY,
}


def forms() -> list[HTTPRouteHandler]:
    return [
        each
        for each in SITE.handlers
        if "POST" in each.http_methods and any(path.startswith(CONSOLE) for path in each.paths)
    ]


def test_every_form_names_the_action_that_it_writes() -> None:
    assert forms()
    assert [each.paths for each in forms() if LOGS not in each.opt] == []


def test_the_console_does_all_that_the_api_does_and_no_more_than_the_log_knows() -> None:
    done = {each.opt[LOGS] for each in forms()}
    assert done >= {each.logs for each in OPERATIONS if each.logs is not None}
    assert done == set(OperatorAction) - BY_COMMANDS_ALONE
