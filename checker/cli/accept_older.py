"""`checker accept-older`: an operator accepts a list that went back to an older state."""

import click
import msgspec

from checker.cli.options import deployment_options, json_option, print_json, run_in_deployment
from checker.config import Config
from checker.database.engine import driver_errors
from checker.errors import Conflict
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER
from checker.registry.lost_changes import accept_lost


class AcceptedLoss(msgspec.Struct, frozen=True, kw_only=True):
    """The output of `checker accept-older`: the numbers of the changes that are given up."""

    accepted: tuple[int, ...]


@click.command()
@json_option
@deployment_options
def accept_older(config: Config, as_json: bool) -> None:
    """Answer checks by a list that went back to an older state, although changes are lost.

    First let the courts send their lost changes again, or their whole lists. Until then a person
    listed by a lost change alone is answered "allow".
    """

    async def work(runtime: Runtime) -> AcceptedLoss:
        with driver_errors():
            async with runtime.work_engine.begin() as connection:
                accepted = await accept_lost(
                    connection, runtime.sealer.vault, runtime.clock.now(), by=AT_THE_SERVER
                )
        if not accepted:
            raise Conflict("the list did not go back, so there is nothing to accept")
        return AcceptedLoss(accepted=accepted)

    found = run_in_deployment(config, work)
    if as_json:
        print_json(found)
        return
    versions = ", ".join(map(str, found.accepted))
    click.echo(f"accepted: the list is answered from without the changes {versions}")
