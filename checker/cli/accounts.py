"""`checker accounts`: create, list, show, disable and enable accounts."""

from collections.abc import AsyncIterator

import click
import msgspec

from checker.accounts.accounts import Account, AccountChanges, Accounts
from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope, Network, read_networks
from checker.accounts.views import account_view
from checker.cli.options import (
    beginning_options,
    deployment_options,
    json_option,
    print_json,
    run_in_deployment,
)
from checker.cli.scope_options import courts_option, not_blank, scope_from, scope_options
from checker.config import Config
from checker.errors import InvalidRequest
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER

ACCOUNTS_AT_ONCE = 1_000


def _read_networks(
    _ctx: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> tuple[Network, ...] | None:
    """Return the networks of the option; None: the option was not given."""
    try:
        return read_networks(texts) if texts else None
    except InvalidRequest as error:
        raise click.BadParameter(error.faults[0].detail) from None


_network_option = click.option(
    "--network",
    "networks",
    multiple=True,
    callback=_read_networks,
    help="A network from which it may call, e.g. 192.0.2.0/24; may be repeated; default: any.",
)


@click.group()
def accounts() -> None:
    """Create, list, show, disable and enable accounts; `checker keys` makes their keys."""


@accounts.command()
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in AccountRole]), help="Role."
)
@click.option("--name", required=True, callback=not_blank, help="A name that no other account has.")
@scope_options
@courts_option
@_network_option
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
    networks: tuple[Network, ...] | None,
    as_json: bool,
) -> None:
    """Create an account and print only its id.

    The account limits its keys. `checker keys create` makes a key.
    """
    limits = scope_from(services, jurisdiction, quota, daily_quota)
    scope = AccountScope(**msgspec.structs.asdict(limits), networks=networks, courts=courts)

    async def work(runtime: Runtime) -> Account:
        return await runtime.accounts.create(
            name=name, role=AccountRole(role), scope=scope, by=AT_THE_SERVER
        )

    made = run_in_deployment(config, work)
    if as_json:
        print_json(account_view(made))
    else:
        click.echo(made.id)


@accounts.command("list")
@click.option("--flagged", is_flag=True, help="Only accounts that seem to fish.")
@json_option
@deployment_options
def list_accounts(config: Config, flagged: bool, as_json: bool) -> None:
    """List the accounts, oldest first."""

    async def work(runtime: Runtime) -> list[Account]:
        return [one async for one in _all_accounts(runtime.accounts, flagged)]

    found = run_in_deployment(config, work)
    if as_json:
        print_json([account_view(one) for one in found])
        return
    for one in found:
        click.echo(f"{one.id}  {one.role:<12} {one.name}{_state(one)}")


@accounts.command()
@click.argument("account")
@json_option
@deployment_options
def show(config: Config, account: str, as_json: bool) -> None:
    """Show ACCOUNT, by name or id."""

    async def work(runtime: Runtime) -> Account:
        return await runtime.accounts.named(account)

    view = account_view(run_in_deployment(config, work))
    if as_json:
        print_json(view)
        return
    for name, value in msgspec.to_builtins(view).items():
        click.echo(f"{name.replace('_', ' '):<20} {value}")


@accounts.command()
@click.argument("account")
@json_option
@deployment_options
def disable(config: Config, account: str, as_json: bool) -> None:
    """Refuse all keys of ACCOUNT, by name or id.

    Every node refuses the keys within a second.
    """
    _print_changed(_switched(config, account, disabled=True), "disabled", as_json=as_json)


@accounts.command()
@click.argument("account")
@json_option
@deployment_options
def enable(config: Config, account: str, as_json: bool) -> None:
    """Accept the keys of ACCOUNT, by name or id, again."""
    _print_changed(_switched(config, account, disabled=False), "enabled", as_json=as_json)


@accounts.command("set-networks")
@click.argument("account")
@_network_option
@json_option
@deployment_options
def set_networks(
    config: Config, account: str, networks: tuple[Network, ...] | None, as_json: bool
) -> None:
    """Let ACCOUNT, by name or id, call from these networks alone.

    Without any network the account may call from anywhere.
    """

    async def work(runtime: Runtime) -> Account:
        found = await runtime.accounts.named(account)
        changes = AccountChanges(scope={"networks": networks})
        return await runtime.accounts.change(found.id, changes, by=AT_THE_SERVER)

    _print_changed(run_in_deployment(config, work), "changed", as_json=as_json)


@accounts.command("clear-flag")
@click.argument("account")
@json_option
@deployment_options
def clear_flag(config: Config, account: str, as_json: bool) -> None:
    """Remove the flag of fishing from ACCOUNT, by name or id.

    The full quota of the account returns.
    """

    async def work(runtime: Runtime) -> Account:
        found = await runtime.accounts.named(account)
        await runtime.flags.clear(found.id, by=AT_THE_SERVER)
        return await runtime.accounts.named(found.id)

    _print_changed(run_in_deployment(config, work), "cleared", as_json=as_json)


def _switched(config: Config, account: str, *, disabled: bool) -> Account:
    async def work(runtime: Runtime) -> Account:
        found = await runtime.accounts.named(account)
        changes = AccountChanges(disabled=disabled)
        return await runtime.accounts.change(found.id, changes, by=AT_THE_SERVER)

    return run_in_deployment(config, work)


def _print_changed(account: Account, change: str, *, as_json: bool) -> None:
    if as_json:
        print_json(account_view(account))
    else:
        click.echo(f"{account.id} {change}")


async def _all_accounts(found: Accounts, flagged: bool) -> AsyncIterator[Account]:
    after = 0
    while page := await found.page(after=after, limit=ACCOUNTS_AT_ONCE, flagged=flagged):
        for one in page:
            yield one
        after = page[-1].number


def _state(one: Account) -> str:
    disabled = "" if one.disabled_at is None else "  (disabled)"
    return disabled if one.flag is None else f"{disabled}  (flagged: {one.flag.ground})"
