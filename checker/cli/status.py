"""`checker status`."""

import click
import msgspec

from cache.errors import CacheUnavailable
from checker.cli.options import deployment_options, json_option, print_json, run_in_deployment
from checker.config import Config
from checker.domain.clock import instant_text, shanghai_day
from checker.node.runtime import Runtime
from checker.registry.lost_changes import LostChange
from checker.registry.summary import ListSummary, summarize


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """The output of `checker status`; `cache_version` is None where the cache holds no list."""

    data_dir: str
    version: int
    history: str | None
    as_of: str | None
    cache_version: int | None
    persons: int
    organizations: int
    listings: int
    overdue_removals: int
    unresolved_officers: int
    masked: int
    lost_changes: tuple[LostChange, ...]


@click.command()
@json_option
@deployment_options
def status(config: Config, as_json: bool) -> None:
    """Show the state of the list and of the cache."""

    async def work(runtime: Runtime) -> StatusReport:
        summary = await summarize(
            runtime.work_engine, shanghai_day(runtime.clock.now()), runtime.policies.deadlines
        )
        return _status(runtime, summary, await _cache_version(runtime))

    found = run_in_deployment(config, work)
    if as_json:
        print_json(found)
        return
    shown = msgspec.structs.asdict(found)
    shown["lost_changes"] = ", ".join(str(each.version) for each in found.lost_changes) or "none"
    for name, value in shown.items():
        click.echo(f"{name.replace('_', ' '):<20} {value}")


def _status(runtime: Runtime, summary: ListSummary, cache_version: int | None) -> StatusReport:
    version = summary.version
    return StatusReport(
        data_dir=str(runtime.config.data_dir),
        version=0 if version is None else version.version,
        history=None if version is None else version.history,
        as_of=None if version is None else instant_text(version.at),
        cache_version=cache_version,
        persons=summary.persons,
        organizations=summary.organizations,
        listings=summary.listings,
        overdue_removals=summary.overdue_removals,
        unresolved_officers=summary.unresolved_officers,
        masked=summary.masked,
        lost_changes=summary.lost_changes,
    )


async def _cache_version(runtime: Runtime) -> int | None:
    try:
        head = (await runtime.replica_source.nodes()).head
    except CacheUnavailable:
        return None
    return None if head is None else head.version
