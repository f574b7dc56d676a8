"""`checker keys`: make, list, rotate and revoke keys."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import click
import msgspec

from checker.accounts.account_keys import (
    OVERLAP_S,
    OVERLAP_S_MAX,
    AccountKeys,
    KeyState,
    NewKey,
)
from checker.accounts.keys import AccountRole
from checker.accounts.views import key_view, made_key
from checker.cli.options import deployment_options, json_option, run_in_deployment, tell_json
from checker.cli.scope_options import expiry_option, not_blank, scope_from, scope_options
from checker.config import Config
from checker.node.runtime import Runtime

KEYS_AT_ONCE = 1_000


@click.group()
def keys() -> None:
    """Keys of those who call."""


@keys.command()
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in AccountRole]), help="Role."
)
@click.option(
    "--name",
    required=True,
    callback=not_blank,
    help="The account's name; made where there is none.",
)
@scope_options
@expiry_option
@json_option
@deployment_options
def create(  # noqa: PLR0917 - click passes options by name
    config: Config,
    role: str,
    name: str,
    services: str | None,
    jurisdiction: str | None,
    quota: int,
    daily_quota: int,
    expires_at: datetime | None,
    as_json: bool,
) -> None:
    """Make a key and print it, alone, on standard output: it is shown this once."""
    scope = scope_from(services, jurisdiction, quota, daily_quota)

    async def work(runtime: Runtime) -> NewKey:
        return await runtime.account_keys.create_named(
            name=name, role=AccountRole(role), scope=scope, expires_at=expires_at
        )

    made = run_in_deployment(config, work)
    if as_json:
        tell_json({"key": made.key, "name": name, "role": role})
    else:
        click.echo(made.key)


@keys.command("list")
@click.argument("account")
@json_option
@deployment_options
def list_keys(config: Config, account: str, as_json: bool) -> None:
    """Tell which keys ACCOUNT, by name or id, has and had; never a key itself."""

    async def work(runtime: Runtime) -> list[KeyState]:
        found = await runtime.accounts.named(account)
        return [key async for key in _all_keys(runtime.account_keys, found.id)]

    found = run_in_deployment(config, work)
    if as_json:
        tell_json([key_view(key) for key in found])
        return
    for key in found:
        told = msgspec.to_builtins(key_view(key))
        shown = (f"{name}={value}" for name, value in told.items() if value and name != "id")
        click.echo(f"{key.id}  {' '.join(shown)}")


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap",
    type=click.IntRange(0, OVERLAP_S_MAX),
    default=OVERLAP_S,
    show_default=True,
    help="Seconds for which the old key is in force beside the new one.",
)
@expiry_option
@json_option
@deployment_options
def rotate(
    config: Config, key_id: str, overlap: int, expires_at: datetime | None, as_json: bool
) -> None:
    """Make a successor of the key KEY_ID and print it, alone: it is shown this once."""

    async def work(runtime: Runtime) -> NewKey:
        old = await runtime.account_keys.find(key_id)
        return await runtime.account_keys.rotate(
            old.account_id, old.id, overlap=timedelta(seconds=overlap), expires_at=expires_at
        )

    made = run_in_deployment(config, work)
    if as_json:
        tell_json(made_key(made))
    else:
        click.echo(made.key)


@keys.command()
@click.argument("key_id")
@deployment_options
def revoke(config: Config, key_id: str) -> None:
    """End the key KEY_ID, on every node within a second."""

    async def work(runtime: Runtime) -> KeyState:
        key = await runtime.account_keys.find(key_id)
        return await runtime.account_keys.revoke(key.account_id, key.id)

    click.echo(f"{run_in_deployment(config, work).id} revoked")


async def _all_keys(keys_of: AccountKeys, account_id: str) -> AsyncIterator[KeyState]:
    after = 0
    while page := await keys_of.page(account_id, after=after, limit=KEYS_AT_ONCE):
        for key in page:
            yield key
        after = page[-1].number
