"""`checker keys create`."""

import click

from checker.accounts.keys import AccountRole, create_key
from checker.cli.options import deployment_options, json_option, run_in_deployment, tell_json
from checker.config import Config
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.service import ServiceType
from checker.runtime import Runtime


def _not_blank(_ctx: click.Context, _option: click.Parameter, text: str) -> str:
    if not text.strip():
        raise click.BadParameter("is blank")
    return text.strip()


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
    callback=_not_blank,
    help="The account's name; made where there is none.",
)
@click.option("--services", help="Service types it may ask about, with commas; default: all.")
@click.option("--jurisdiction", help="Where its checks are placed if they do not say; default: CN.")
@click.option(
    "--quota",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Items a minute, 0 for no limit.",
)
@json_option
@deployment_options
def create(  # noqa: PLR0917 - click passes options by name
    config: Config,
    role: str,
    name: str,
    services: str | None,
    jurisdiction: str | None,
    quota: int,
    as_json: bool,
) -> None:
    """Make a key and print it, alone, on standard output: it is shown this once."""
    scope = None if services is None else _scope(services)
    place = None if jurisdiction is None else _place(jurisdiction)

    async def work(runtime: Runtime) -> str:
        return await create_key(
            runtime.engine,
            name=name,
            role=AccountRole(role),
            services=scope,
            jurisdiction=place,
            items_per_minute=quota,
        )

    key = run_in_deployment(config, work)
    if as_json:
        tell_json({"key": key, "name": name, "role": role})
    else:
        click.echo(key)


def _scope(text: str) -> frozenset[ServiceType]:
    try:
        return frozenset(ServiceType(part.strip()) for part in text.split(","))
    except ValueError:
        known = ", ".join(ServiceType)
        raise click.BadParameter(
            f"the service types are {known}", param_hint="--services"
        ) from None


def _place(text: str) -> Jurisdiction:
    try:
        return parse_jurisdiction(text)
    except InvalidJurisdiction as error:
        raise click.BadParameter(str(error), param_hint="--jurisdiction") from None
