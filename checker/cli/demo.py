"""`checker demo`: starts a service with a synthetic list, keys and a first request."""

import json
import shlex

import click
import msgspec

from checker.accounts.keys import AccountRole
from checker.cli.options import beginning_options, run_in_deployment
from checker.cli.serve import host_option, port_option, workers_option
from checker.config import CONFIG_FILE, Config
from checker.demo import DemoPerson, demo_changes, demo_list, demo_persons, demo_settings
from checker.domain.clock import shanghai_day
from checker.errors import ConfigurationError
from checker.logs import LogFormat
from checker.node.runtime import Runtime
from checker.node.servers import open_servers
from checker.operators.action import AT_THE_SERVER
from checker.registry.summary import ListSummary, summarize
from checker.registry.versions import ChangeKind, list_origin
from checker.serving import server
from checker.serving.forked import begin_imports


class PreparedDemo(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the preparation: a key for each role, and the size of the list."""

    keys: dict[AccountRole, str]
    summary: ListSummary


@click.command()
@host_option
@port_option
@workers_option
@beginning_options
def demo(config: Config, host: str, port: int, workers: int) -> None:
    """Serve a synthetic list, with keys and a question to try."""
    begin_imports()
    server.refuse_unusable(host, port)
    with open_servers(config) as named:
        prepared = run_in_deployment(named, _prepare, publish=True)
        # Only now: `_prepare` refuses a directory with another list, which keeps its settings.
        served = _with_settings(named)
        _print(prepared, f"http://{host}:{port}")
        server.serve(served, host=host, port=port, workers=workers, log_format=LogFormat.TEXT)


def _with_settings(config: Config) -> Config:
    """Return the `Config` with the demo's settings, unless the directory has settings."""
    if config.config_file is not None:
        return config
    file = config.data_dir / CONFIG_FILE
    file.write_text(demo_settings(), encoding="utf-8")
    return msgspec.structs.replace(config, config_file=file)


async def _prepare(runtime: Runtime) -> PreparedDemo:
    async with runtime.engine.connect() as connection:
        origin = await list_origin(connection)
    if origin not in {None, ChangeKind.DEMO}:
        text = "this data directory holds a list that is not the demo's: use `checker serve`"
        raise ConfigurationError(text)
    await runtime.feed.replace(demo_list(), kind=ChangeKind.DEMO)
    await runtime.changes.apply(demo_changes())
    keys = {
        role: (
            await runtime.account_keys.create_named(
                name=f"demo {role}", role=role, by=AT_THE_SERVER
            )
        ).key
        for role in (AccountRole.INSTITUTION, AccountRole.COURT, AccountRole.OPERATOR)
    }
    today = shanghai_day(runtime.clock.now())
    return PreparedDemo(
        keys=keys, summary=await summarize(runtime.engine, today, runtime.policies.deadlines)
    )


def _print(prepared: PreparedDemo, url: str) -> None:
    summary = prepared.summary
    click.secho(f"\nchecker: {url}, API at {url}/docs", bold=True)
    click.echo(
        f"{summary.listings} synthetic listings: {summary.persons} persons, "
        f"{summary.organizations} organizations. Nobody on it was born after 1905."
    )
    click.echo("\nKeys of this start:")
    for role, key in prepared.keys.items():
        click.echo(f"  {role:<12} {key}")
    click.echo("\nAsk whether the debtor 陈示例 may take a seat on a G train:\n")
    click.echo(_curl(demo_persons()[0], prepared.keys[AccountRole.INSTITUTION], url))
    click.echo(f"\nClerks sign in at {url}/desk with the key of the institution.")
    click.echo("\ndocs/demo.md lists all people to ask about. Ctrl-C stops the service.\n")


def _curl(person: DemoPerson, key: str, url: str) -> str:
    question = {
        "subject": {
            "document": {"type": person.type, "number": person.number},
            "name": person.name,
        },
        "service": person.questions[0].service,
    }
    body = shlex.quote(json.dumps(question, ensure_ascii=False))
    return f"curl -s {url}/v1/checks -H 'Authorization: Bearer {key}' \\\n  -d {body}"
