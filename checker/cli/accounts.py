"""`checker accounts`: make, list, show, disable and enable accounts."""

from collections.abc import AsyncIterator

import click
import msgspec

from checker.accounts.accounts import Account, AccountChanges, Accounts
from checker.accounts.keys import AccountRole
from checker.accounts.scope import AccountScope, Network, read_networks
from checker.accounts.views import account_view
from checker.cli.options import deployment_options, json_option, run_in_deployment, tell_json
from checker.cli.scope_options import not_blank, scope_from, scope_options
from checker.config import Config
from checker.errors import InvalidRequest
from checker.node.runtime import Runtime

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
    """Accounts of those who call, each with keys of its own (`checker keys`)."""


@accounts.command()
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in AccountRole]), help="Role."
)
@click.option("--name", required=True, callback=not_blank, help="A name that no other has.")
@scope_options
@_network_option
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
    networks: tuple[Network, ...] | None,
    as_json: bool,
) -> None:
    """Make an account, which bounds what its keys may, and print its id, alone."""
    bounds = scope_from(services, jurisdiction, quota, daily_quota)
    scope = AccountScope(**msgspec.structs.asdict(bounds), networks=networks)

    async def work(runtime: Runtime) -> Account:
        return await runtime.accounts.create(name=name, role=AccountRole(role), scope=scope)

    made = run_in_deployment(config, work)
    if as_json:
        tell_json(account_view(made))
    else:
        click.echo(made.id)


@accounts.command("list")
@click.option("--flagged", is_flag=True, help="Only those that seem to fish.")
@json_option
@deployment_options
def list_accounts(config: Config, flagged: bool, as_json: bool) -> None:
    """Tell which accounts there are, oldest first."""

    async def work(runtime: Runtime) -> list[Account]:
        return [one async for one in _all_accounts(runtime.accounts, flagged)]

    found = run_in_deployment(config, work)
    if as_json:
        tell_json([account_view(one) for one in found])
        return
    for one in found:
        click.echo(f"{one.id}  {one.role:<12} {one.name}{_state(one)}")


@accounts.command()
@click.argument("account")
@json_option
@deployment_options
def show(config: Config, account: str, as_json: bool) -> None:
    """Tell of ACCOUNT, by name or id."""

    async def work(runtime: Runtime) -> Account:
        return await runtime.accounts.named(account)

    told = account_view(run_in_deployment(config, work))
    if as_json:
        tell_json(told)
        return
    for name, value in msgspec.to_builtins(told).items():
        click.echo(f"{name.replace('_', ' '):<20} {value}")


@accounts.command()
@click.argument("account")
@deployment_options
def disable(config: Config, account: str) -> None:
    """Put all keys of ACCOUNT, by name or id, out of force within a second."""
    _switch(config, account, disabled=True)


@accounts.command()
@click.argument("account")
@deployment_options
def enable(config: Config, account: str) -> None:
    """Put the keys of a disabled ACCOUNT, by name or id, in force again."""
    _switch(config, account, disabled=False)


@accounts.command("set-networks")
@click.argument("account")
@_network_option
@deployment_options
def set_networks(config: Config, account: str, networks: tuple[Network, ...] | None) -> None:
    """Let ACCOUNT, by name or id, call from these networks alone; without any, from anywhere."""

    async def work(runtime: Runtime) -> Account:
        found = await runtime.accounts.named(account)
        changes = AccountChanges(scope={"networks": networks})
        return await runtime.accounts.change(found.id, changes)

    click.echo(f"{run_in_deployment(config, work).id} changed")


@accounts.command("clear-flag")
@click.argument("account")
@deployment_options
def clear_flag(config: Config, account: str) -> None:
    """Let ACCOUNT, by name or id, which seemed to fish, go on at its usual pace."""

    async def work(runtime: Runtime) -> Account:
        found = await runtime.accounts.named(account)
        await runtime.flags.clear(found.id, by=None)
        return found

    click.echo(f"{run_in_deployment(config, work).id} cleared")


def _switch(config: Config, account: str, *, disabled: bool) -> None:
    async def work(runtime: Runtime) -> Account:
        found = await runtime.accounts.named(account)
        return await runtime.accounts.change(found.id, AccountChanges(disabled=disabled))

    changed = run_in_deployment(config, work)
    click.echo(f"{changed.id} {'disabled' if disabled else 'enabled'}")


async def _all_accounts(found: Accounts, flagged: bool) -> AsyncIterator[Account]:
    after = 0
    while page := await found.page(after=after, limit=ACCOUNTS_AT_ONCE, flagged=flagged):
        for one in page:
            yield one
        after = page[-1].number


def _state(one: Account) -> str:
    disabled = "" if one.disabled_at is None else "  (disabled)"
    return disabled if one.flag is None else f"{disabled}  (flagged: {one.flag.ground})"
