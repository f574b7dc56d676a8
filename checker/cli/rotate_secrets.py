"""`checker keys rotate-secrets`: replaces the deployment's keys while the service runs."""

import os

import click

from checker.cli.options import deployment_options, json_option, print_json, run_in_deployment
from checker.config import Config
from checker.node.runtime import Runtime
from checker.rotation.rotation import EndedKeys, Rotation, RotationResult

WAIT_S = 60
WAIT_S_MAX = 3_600


@click.command("rotate-secrets")
@click.option("--finish", is_flag=True, help="End the older keys, when nothing is left under one.")
@click.option(
    "--wait",
    "wait_s",
    type=click.IntRange(0, WAIT_S_MAX),
    default=WAIT_S,
    show_default=True,
    help="Seconds to wait for other processes at each stage.",
)
@json_option
@deployment_options
def rotate_secrets(config: Config, *, finish: bool, wait_s: int, as_json: bool) -> None:
    """Replace both keys of the deployment while it runs.

    They are the encryption key and the token key. Makes new keys, waits until every process knows
    them, and stores everything under them. May be stopped and run again at any time. Afterwards
    `--finish` ends the older keys.
    """

    async def work(runtime: Runtime) -> RotationResult | EndedKeys:
        rotation = Rotation(
            engine=runtime.work_engine,
            cache=runtime.cache,
            vault=runtime.sealer.vault,
            token_keys=runtime.token_keys,
            keys=runtime.joining.keys,
            log=runtime.operator_log,
            data_dir=config.data_dir,
            environ=os.environ,
            wait_s=wait_s,
            report=lambda step: click.echo(step, err=True),
        )
        if finish:
            return await rotation.finish()
        return await rotation.rotate()

    result = run_in_deployment(config, work)
    if as_json:
        print_json(result)
    elif isinstance(result, EndedKeys):
        click.echo(
            f"the encryption key {result.key} and the token key {result.token_key} alone are used"
        )
    else:
        click.echo(_shown(result))


def _shown(result: RotationResult) -> str:
    if not result.left:
        return (
            f"everything is sealed with the encryption key {result.key}, and stored under the"
            f" token key {result.token_key}: run --finish"
        )
    damaged = f", of which {result.damaged} do not open" if result.damaged else ""
    return f"{result.left} values are left under an older key{damaged}: run this again"
