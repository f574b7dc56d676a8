"""The actions of operators that are logged, and the author of an action."""

from enum import StrEnum
from typing import Final

import msgspec


class OperatorAction(StrEnum):
    """A change of how the service is run. Each change by hand is one of these.

    A change of the list by a court's feed is none: the list's own history holds it.
    """

    CREATE_ACCOUNT = "create_account"
    CHANGE_ACCOUNT = "change_account"
    CLEAR_FLAG = "clear_flag"
    CREATE_KEY = "create_key"
    ROTATE_KEY = "rotate_key"
    REVOKE_KEY = "revoke_key"
    RETRY_QUARANTINE = "retry_quarantine"
    RETRY_NOTICES = "retry_notices"
    REBUILD = "rebuild"
    ACCEPT_OLDER_LIST = "accept_older_list"
    IMPORT_LIST = "import_list"
    ROTATE_RECEIPT_KEY = "rotate_receipt_key"
    WITHDRAW_RECEIPT_KEY = "withdraw_receipt_key"
    ROTATE_ENCRYPTION_KEY = "rotate_encryption_key"
    END_ENCRYPTION_KEY = "end_encryption_key"
    ROTATE_TOKEN_KEY = "rotate_token_key"  # noqa: S105 - the name of an action
    END_TOKEN_KEY = "end_token_key"  # noqa: S105 - the name of an action


class ActionOutcome(StrEnum):
    """The state of an action at the time of its entry.

    An action that one transaction carries out has one entry, `done`. Any other action has an entry
    `begun` before it, and one of the other two behind it.
    """

    DONE = "done"
    BEGUN = "begun"
    FAILED = "failed"


class Door(StrEnum):
    """The way by which an action came in."""

    API = "api"
    CONSOLE = "console"
    COMMAND = "command"


class ActionAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """The account and the key that act. Both are None for a command on the server itself."""

    door: Door
    account_id: str | None = None
    key_pk: int | None = None


AT_THE_SERVER: Final = ActionAuthor(door=Door.COMMAND)
"""The author of a command. A command has no key: its user can read the data directory."""
