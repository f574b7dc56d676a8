"""`checker backup` and `checker restore`."""

import asyncio
import os
from pathlib import Path

import click

from checker.backup.loading import LoadedBackup, load_backup
from checker.backup.manifest import BackupManifest
from checker.backup.saving import save_backup
from checker.cli.options import beginning_options, deployment_options, json_option, print_json
from checker.config import Config
from checker.domain.clock import SystemClock
from checker.node.servers import open_servers

_folder = click.argument("folder", type=click.Path(path_type=Path))


@click.command()
@_folder
@click.option("--with-keys", is_flag=True, help="Save the two keys of the deployment too.")
@json_option
@deployment_options
def backup(config: Config, folder: Path, *, with_keys: bool, as_json: bool) -> None:
    """Save the record to FOLDER, which must not exist, while the service runs.

    Without its keys the backup opens no name and no number. Keep the keys at another place.
    """
    with open_servers(config) as named:
        work = save_backup(named, os.environ, folder, SystemClock(), with_keys=with_keys)
        manifest = asyncio.run(work)
    if as_json:
        print_json(manifest)
        return
    size = sum(file.size for file in manifest.files.values())
    click.echo(f"saved {_list_of(manifest)}: {size} bytes in {folder}")
    click.echo(f"head: {manifest.head}")


@click.command()
@_folder
@click.option("--replace", is_flag=True, help="Give up the content of the database.")
@click.option("--accept-older", is_flag=True, help="Answer by this list although Redis has newer.")
@json_option
@beginning_options
def restore(
    config: Config, folder: Path, *, replace: bool, accept_older: bool, as_json: bool
) -> None:
    """Load the record from the backup in FOLDER, while the service does not run.

    Redis may know changes that the backup lacks. Then nobody is answered before an operator accepts
    the older list.
    """
    with open_servers(config) as named:
        work = load_backup(
            named, os.environ, folder, SystemClock(), replace=replace, accept_older=accept_older
        )
        loaded = asyncio.run(work)
    if as_json:
        print_json(loaded)
        return
    click.echo(f"loaded {_list_of(loaded.manifest)}, as of {loaded.manifest.made_at}")
    click.echo(f"verify: checker audit verify --head {loaded.manifest.head}")
    click.echo(_state_of_list(loaded))


def _list_of(manifest: BackupManifest) -> str:
    return "no list" if manifest.list is None else f"version {manifest.list.version} of the list"


def _state_of_list(loaded: LoadedBackup) -> str:
    if loaded.lost_changes is None:
        return "Redis could not be asked whether it knows newer changes"
    if not loaded.lost_changes:
        return "Redis knows no newer change"
    if loaded.is_accepted:
        return "Redis knew newer changes, and the older list is accepted"
    return (
        "Redis knows newer changes: nobody is answered until the courts have sent these changes"
        " again, and `checker accept-older` has accepted the list"
    )
