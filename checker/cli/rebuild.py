"""`checker rebuild`."""

import click

from cache.generation import Generation
from checker.cli.options import deployment_options, json_option, print_json, run_in_deployment
from checker.config import Config
from checker.errors import Conflict
from checker.node.runtime import Runtime
from checker.operators.action import AT_THE_SERVER, OperatorAction


@click.command()
@json_option
@deployment_options
def rebuild(config: Config, as_json: bool) -> None:
    """Build the cache anew from the registry, beside the present one, and switch to it."""

    async def work(runtime: Runtime) -> Generation:
        log = runtime.operator_log
        async with log.around(OperatorAction.REBUILD, None, by=AT_THE_SERVER) as result:
            generation = await runtime.publisher.rebuild_now()
            if generation is None:
                raise Conflict("no list has been taken in yet, so there is nothing to build")
            result.details = {"generation": generation.id, "version": generation.version}
        return generation

    built = run_in_deployment(config, work)
    if as_json:
        print_json(built)
        return
    click.echo(f"version {built.version}: {built.entries} tokens in generation {built.id}")
