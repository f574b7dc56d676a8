"""`checker keys`: create, list, rotate and revoke keys; and replace the deployment's own key."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import click
import msgspec

from checker.accounts.account_keys import (
    OVERLAP_S,
    OVERLAP_S_MAX,
    AccountKeys,
    NewKey,
)
from checker.accounts.key_states import KeyState
from checker.accounts.keys import AccountRole
from checker.accounts.views import key_view, made_key
from checker.cli.options import (
    beginning_options,
    deployment_options,
    json_option,
    print_json,
    run_in_deployment,
)
from checker.cli.rotate_secrets import rotate_secrets
from checker.cli.scope_options import (
    courts_option,
    expiry_option,
    not_blank,
    scope_from,
    scope_options,
)
from checker.config import Config
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER

KEYS_AT_ONCE = 1_000


@click.group()
def keys() -> None:
    """Create, list, rotate and revoke keys."""


keys.add_command(rotate_secrets)


@keys.command()
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in AccountRole]), help="Role."
)
@click.option(
    "--name",
    required=True,
    callback=not_blank,
    help="The account's name; a missing account is created.",
)
@scope_options
@courts_option
@expiry_option
@json_option
@beginning_options
def create(  # noqa: PLR0917 - click passes options by name
    config: Config,
    role: str,
    name: str,
    services: str | None,
    jurisdiction: str | None,
    quota: int,
    daily_quota: int,
    courts: tuple[str, ...] | None,
    expires_at: datetime | None,
    as_json: bool,
) -> None:
    """Create a key and print only the key, this once."""
    scope = scope_from(services, jurisdiction, quota, daily_quota)

    async def work(runtime: Runtime) -> NewKey:
        return await runtime.account_keys.create_named(
            name=name,
            role=AccountRole(role),
            scope=scope,
            expires_at=expires_at,
            courts=courts,
            by=AT_THE_SERVER,
        )

    made = run_in_deployment(config, work)
    if as_json:
        print_json({"key": made.key, "name": name, "role": role})
    else:
        click.echo(made.key)


@keys.command("list")
@click.argument("account")
@json_option
@deployment_options
def list_keys(config: Config, account: str, as_json: bool) -> None:
    """List the keys of ACCOUNT, by name or id, past keys too.

    A key itself is never shown.
    """

    async def work(runtime: Runtime) -> list[KeyState]:
        found = await runtime.accounts.named(account)
        return [key async for key in _all_keys(runtime.account_keys, found.id)]

    found = run_in_deployment(config, work)
    if as_json:
        print_json([key_view(key) for key in found])
        return
    for key in found:
        view = msgspec.to_builtins(key_view(key))
        shown = (f"{name}={value}" for name, value in view.items() if value and name != "id")
        click.echo(f"{key.id}  {' '.join(shown)}")


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap",
    type=click.IntRange(0, OVERLAP_S_MAX),
    default=OVERLAP_S,
    show_default=True,
    help="Seconds for which the old key stays valid beside the new key.",
)
@expiry_option
@json_option
@deployment_options
def rotate(
    config: Config, key_id: str, overlap: int, expires_at: datetime | None, as_json: bool
) -> None:
    """Create a successor of the key KEY_ID and print only it."""

    async def work(runtime: Runtime) -> NewKey:
        old = await runtime.account_keys.find(key_id)
        return await runtime.account_keys.rotate(
            old.account_id,
            old.id,
            overlap=timedelta(seconds=overlap),
            expires_at=expires_at,
            by=AT_THE_SERVER,
        )

    made = run_in_deployment(config, work)
    if as_json:
        print_json(made_key(made))
    else:
        click.echo(made.key)


@keys.command()
@click.argument("key_id")
@json_option
@deployment_options
def revoke(config: Config, key_id: str, as_json: bool) -> None:
    """End the key KEY_ID, on every node within a second."""

    async def work(runtime: Runtime) -> KeyState:
        key = await runtime.account_keys.find(key_id)
        return await runtime.account_keys.revoke(key.account_id, key.id, by=AT_THE_SERVER)

    ended = run_in_deployment(config, work)
    if as_json:
        print_json(key_view(ended))
    else:
        click.echo(f"{ended.id} revoked")


async def _all_keys(keys_of: AccountKeys, account_id: str) -> AsyncIterator[KeyState]:
    after = 0
    while page := await keys_of.page(account_id, after=after, limit=KEYS_AT_ONCE):
        for key in page:
            yield key
        after = page[-1].number
