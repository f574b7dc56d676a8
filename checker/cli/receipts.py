"""`checker receipts`: rotates the keys that sign receipts, and withdraws a stolen key."""

from datetime import timedelta

import click

from checker.cli.options import deployment_options, json_option, print_json, run_in_deployment
from checker.config import Config
from checker.domain.clock import instant_text
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER
from checker.receipts.keys import ReceiptKey
from checker.receipts.keys import rotate as rotate_keys
from checker.receipts.keys import withdraw as withdraw_key
from checker.receipts.receipt_keys import LEAD_S, LEAD_S_MIN

_LEAD_S_MAX = 30 * 86_400


@click.group()
def receipts() -> None:
    """Signed answers, and the keys that sign them."""


@receipts.command()
@click.option(
    "--lead",
    "lead_s",
    type=click.IntRange(LEAD_S_MIN, _LEAD_S_MAX),
    default=LEAD_S,
    show_default=True,
    help="Seconds for which the key is published before it signs.",
)
@json_option
@deployment_options
def rotate(config: Config, lead_s: int, as_json: bool) -> None:
    """Create the next key that signs receipts.

    The key before stays published.
    """

    async def work(runtime: Runtime) -> ReceiptKey:
        return await rotate_keys(
            runtime.engine,
            runtime.sealer.vault,
            now=runtime.clock.now(),
            lead=timedelta(seconds=lead_s),
            by=AT_THE_SERVER,
        )

    made = run_in_deployment(config, work)
    signs_from = instant_text(made.signs_from)
    if as_json:
        print_json({"kid": made.kid, "signs_from": signs_from})
    else:
        click.echo(f"key {made.kid} is published now and signs from {signs_from}")


@receipts.command()
@click.option("--kid", required=True, help="The key's id, as receipts and the key set name it.")
@json_option
@deployment_options
def withdraw(config: Config, kid: str, as_json: bool) -> None:
    """Remove a stolen key: none of its receipts verifies any more.

    Those who fetched the keys before accept its receipts until they fetch the keys again.
    """

    async def work(runtime: Runtime) -> ReceiptKey | None:
        return await withdraw_key(
            runtime.engine,
            runtime.sealer.vault,
            kid=kid,
            now=runtime.clock.now(),
            by=AT_THE_SERVER,
        )

    made = run_in_deployment(config, work)
    if as_json:
        print_json({"withdrawn": kid, "kid": None if made is None else made.kid})
    else:
        click.echo(f"key {kid} is withdrawn: its receipts verify no longer")
        if made is not None:
            click.echo(f"key {made.kid} signs in its place")
