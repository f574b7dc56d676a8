"""Accounts and keys: made, changed, disabled and revoked by the functions of the API.

A new key is shown once, in the answer to its form. The page is stored nowhere, and no address
leads back to it.
"""

from datetime import timedelta
from typing import Final

from checker.accounts.account_keys import NewKey
from checker.accounts.keys import AccountRole
from checker.accounts.views import account_view, key_view
from checker.api.account_bodies import ChangedAccount, account_changed, account_made
from checker.api.account_keys import account_key_made, account_key_revoked
from checker.api.exchange import Reply
from checker.domain.clock import instant_text
from checker.domain.service import ServiceType
from checker.operators.action import OperatorAction
from checker.web.console.account_forms import (
    changed_account_of,
    new_account_of,
    new_key_of,
    rotation_of,
)
from checker.web.console.room import (
    CONSOLE,
    ROWS,
    asked,
    asked_number,
    author_of,
    console_page,
    managed,
    part_of,
    rows_page,
    show,
)
from checker.web.visit import Visit

ACCOUNTS: Final = f"{CONSOLE}/accounts"
ONE: Final = f"{ACCOUNTS}/{{account_id:str}}"
KEY: Final = f"{ONE}/keys/{{key_id:str}}"
ACTIONS_SHOWN: Final = 10


@console_page(ACCOUNTS)
async def show_accounts(visit: Visit) -> Reply:
    """Show accounts, oldest first, and the form for a new one."""
    flagged = asked(visit, "flagged") == "true"
    found = await visit.runtime.accounts.page(
        after=asked_number(visit, "after") or 0, limit=ROWS + 1, flagged=flagged
    )
    rows, last = rows_page(found)
    return show(
        visit,
        "accounts",
        room="accounts",
        rows=[account_view(each) for each in rows],
        flagged=flagged,
        roles=tuple(AccountRole),
        services=tuple(ServiceType),
        following=None if last is None else last.number,
    )


@managed(ACCOUNTS, OperatorAction.CREATE_ACCOUNT)
async def create_account(visit: Visit) -> Reply:
    """Create an account, and lead to its page."""
    asked_for = new_account_of(await visit.form())
    made = await account_made(visit.runtime, asked_for, author_of(visit))
    return visit.redirect(f"{ACCOUNTS}/{made.id}")


@console_page(ONE)
async def show_account(visit: Visit) -> Reply:
    """Show an account, its keys, and the last actions about it."""
    return await _account(visit, None)


@managed(f"{ONE}/change", OperatorAction.CHANGE_ACCOUNT)
async def change_account(visit: Visit) -> Reply:
    """Change the name, scope and quotas of an account."""
    changes = changed_account_of(await visit.form())
    return await _changed(visit, changes)


@managed(f"{ONE}/disable", OperatorAction.CHANGE_ACCOUNT)
async def disable_account(visit: Visit) -> Reply:
    """Disable an account, or enable the account again."""
    is_disabled = (await visit.form()).get("disabled") == "true"
    return await _changed(visit, ChangedAccount(disabled=is_disabled))


@managed(f"{ONE}/clear_flag", OperatorAction.CLEAR_FLAG)
async def clear_flag(visit: Visit) -> Reply:
    """Clear the flag of an account, after an operator has looked."""
    await visit.form()
    found = await visit.runtime.accounts.find(part_of(visit, "account_id"))
    await visit.runtime.flags.clear(found.id, by=author_of(visit))
    return visit.redirect(f"{ACCOUNTS}/{found.id}")


@managed(f"{ONE}/keys", OperatorAction.CREATE_KEY)
async def create_key(visit: Visit) -> Reply:
    """Create a key, and show the key this once."""
    asked_for = new_key_of(await visit.form())
    account_id = part_of(visit, "account_id")
    made = await account_key_made(visit.runtime, account_id, asked_for, author_of(visit))
    return await _account(visit, made)


@managed(f"{KEY}/rotate", OperatorAction.ROTATE_KEY)
async def rotate_key(visit: Visit) -> Reply:
    """Create the successor of a key, and show the successor this once."""
    rotation = rotation_of(await visit.form())
    made = await visit.runtime.account_keys.rotate(
        part_of(visit, "account_id"),
        part_of(visit, "key_id"),
        by=author_of(visit),
        overlap=timedelta(seconds=rotation.overlap_seconds),
    )
    return await _account(visit, made)


@managed(f"{KEY}/revoke", OperatorAction.REVOKE_KEY)
async def revoke_key(visit: Visit) -> Reply:
    """Revoke a key."""
    await visit.form()
    account_id = part_of(visit, "account_id")
    key_id, author = part_of(visit, "key_id"), author_of(visit)
    revoked = await account_key_revoked(visit.runtime, account_id, key_id, author)
    return visit.redirect(f"{ACCOUNTS}/{revoked.account_id}")


async def _changed(visit: Visit, changes: ChangedAccount) -> Reply:
    account_id, author = part_of(visit, "account_id"), author_of(visit)
    changed = await account_changed(visit.runtime, account_id, changes, visit.address, author)
    return visit.redirect(f"{ACCOUNTS}/{changed.id}")


async def _account(visit: Visit, made: NewKey | None) -> Reply:
    runtime = visit.runtime
    found = await runtime.accounts.find(part_of(visit, "account_id"))
    keys, last = rows_page(
        await runtime.account_keys.page(
            found.id, after=asked_number(visit, "after") or 0, limit=ROWS + 1
        )
    )
    return show(
        visit,
        "account",
        room="accounts",
        one=account_view(found),
        keys=[key_view(each) for each in keys],
        following=None if last is None else last.number,
        services=tuple(ServiceType),
        made=made,
        now_text=instant_text(runtime.clock.now()),
        actions=await runtime.operator_log.page(before=None, limit=ACTIONS_SHOWN, target=found.id),
    )
