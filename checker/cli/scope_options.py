"""The options for the scope of an account or a key, and the reading of their values."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from checker.accounts.scope import ITEMS_MAX, Scope, read_courts
from checker.domain.clock import instant_or_day
from checker.domain.errors import InvalidJurisdiction
from checker.domain.jurisdiction import Jurisdiction, parse_jurisdiction
from checker.domain.service import ServiceType
from checker.errors import InvalidRequest

_Command = Callable[..., Any]


def scope_options(command: _Command) -> _Command:
    """Return the command with the options of a scope; `scope_from` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def scope_from(
    services: str | None, jurisdiction: str | None, quota: int, daily_quota: int
) -> Scope:
    """Return the scope that the options name. Raises click.BadParameter."""
    return Scope(
        services=None if services is None else _services(services),
        jurisdiction=None if jurisdiction is None else _place(jurisdiction),
        items_per_minute=quota,
        items_per_day=daily_quota,
    )


def read_court_option(
    _ctx: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the courts of the option; None: the option was not given."""
    names = [name for text in texts for name in re.split("[,，、]", text)]
    try:
        return read_courts(names) if texts else None
    except InvalidRequest as error:
        raise click.BadParameter(error.faults[0].detail) from None


def not_blank(_ctx: click.Context, _option: click.Parameter, text: str) -> str:
    """Return a name without blanks around it. Raises click.BadParameter for a blank name."""
    if not text.strip():
        raise click.BadParameter("is blank")
    return text.strip()


def read_expiry(_ctx: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """Return when a key expires: an instant, or the beginning of a day; None: never."""
    try:
        return None if text is None else instant_or_day(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


courts_option = click.option(
    "--courts",
    multiple=True,
    callback=read_court_option,
    help="The courts whose listings it may change, with commas or repeated; default: all.",
)
expiry_option = click.option(
    "--expires-at",
    callback=read_expiry,
    help="When the key expires, e.g. 2027-12-31; default: never.",
)

_Items = click.IntRange(0, ITEMS_MAX)
_OPTIONS = (
    click.option("--services", help="Service types it may ask about, with commas; default: all."),
    click.option("--jurisdiction", help="The place of checks that name none; default: CN."),
    click.option(
        "--quota", type=_Items, default=0, show_default=True, help="Items a minute, 0 for no limit."
    ),
    click.option(
        "--daily-quota",
        type=_Items,
        default=0,
        show_default=True,
        help="Items a day in Asia/Shanghai, 0 for no limit.",
    ),
)


def _services(text: str) -> frozenset[ServiceType]:
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
