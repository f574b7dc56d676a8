"""A rehearsal: a service is saved while it runs, and its record is loaded into another database.

The record that was loaded is older than the list that Redis knows.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.faults.faulty_service import answered, apply, in_force, is_ready
from tests.faults.own_stores import OwnStores, own_stores
from tests.support.asking import FLIGHT, ask
from tests.support.postgres_template import place_upgraded_data
from tests.support.private_folder import private_folder
from tests.support.running_service import (
    OUTAGE_SETTINGS,
    RunningService,
    run_command,
    running_service,
    wait_until,
)
from tests.support.spending import hold
from tests.support.town import DEBTOR, INNOCENT, document, listing, person, resident_id

pytestmark = pytest.mark.xdist_group("backup")

LISTED_LATER = resident_id("440882", "18760504", 61)
AMOUNT_FEN = 50_000
FULL_CAP_FEN = 200_000


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with private_folder() as place:
        yield place


@pytest.fixture(scope="module")
def stores(folder: Path) -> Iterator[OwnStores]:
    place_upgraded_data(folder / "postgres")
    with own_stores(folder) as own:
        yield own


@contextmanager
def serving(folder: Path, environ: dict[str, str]) -> Iterator[RunningService]:
    with running_service(folder, "serve", settings=OUTAGE_SETTINGS, named=environ) as service:
        yield service


@pytest.fixture(scope="module")
def saved(folder: Path, stores: OwnStores) -> dict[str, Any]:
    """A backup of a running service, which took in more after it; the service has ended."""
    with serving(folder, stores.environ) as service:
        in_force(service)
        with service.client(service.keys["institution"]) as hotel:
            decision = ask(hotel, DEBTOR, FLIGHT)
            assert hold(hotel, DEBTOR, AMOUNT_FEN, key="before").status_code == 201
            done = command(folder, stores.environ, "backup", str(folder / "saved"), "--json")
            manifest: dict[str, Any] = json.loads(done)
            assert hold(hotel, DEBTOR, AMOUNT_FEN, key="after").status_code == 201
        with service.client(service.keys["court"]) as court:
            later = listing("later", person("甲外乡", document(LISTED_LATER)))
            apply(court, {"op": "list", "listing": later})
        assert set(answered(service, LISTED_LATER)) == {"deny"}
        return {"manifest": manifest, "decision": decision["id"], "keys": service.keys}


def command(folder: Path, environ: dict[str, str], *words: str, code: int = 0) -> str:
    done = run_command(folder / "data", *words, named=environ)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def another_database(environ: dict[str, str], name: str) -> dict[str, str]:
    """Make an empty database on the same server; return the environment that names it."""

    async def work() -> None:
        connection = await asyncpg.connect(environ["DATABASE_URL"].replace("+asyncpg", ""))
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    asyncio.run(work())
    url = environ["DATABASE_URL"].replace("/postgres?", f"/{name}?")
    assert url != environ["DATABASE_URL"]
    return environ | {"DATABASE_URL": url}


def test_a_record_that_was_loaded_is_whole_and_answers_nobody_before_it_is_accepted(
    folder: Path, stores: OwnStores, saved: dict[str, Any]
) -> None:
    environ = another_database(stores.environ, "second")
    loaded = json.loads(command(folder, environ, "restore", str(folder / "saved"), "--json"))
    assert loaded["lost_changes"] >= 1
    assert "0 faults" in command(
        folder, environ, "audit", "verify", "--head", saved["manifest"]["head"]
    )
    with serving(folder, environ) as service:
        service.keys = saved["keys"]
        for number in (LISTED_LATER, DEBTOR, INNOCENT):
            assert answered(service, number) == []
        assert not is_ready(service)

        command(folder, environ, "accept-older")
        wait_until(lambda: is_ready(service))
        assert set(answered(service, LISTED_LATER)) == {"allow"}, "the court sends it again"
        assert set(answered(service, DEBTOR)) == {"deny"}
        with service.client(service.keys["institution"]) as hotel:
            told = ask(hotel, DEBTOR, FLIGHT)["list"]
            # The first start empties rows whose term is over, which may be a change of its own.
            assert told["version"] >= saved["manifest"]["list"]["version"]
            assert hotel.get(f"/v1/decisions/{saved['decision']}").status_code == 200
            again = hold(hotel, DEBTOR, AMOUNT_FEN, key="before").json()
            assert again["spending"]["held_fen"] == AMOUNT_FEN, "the hold before the backup counts"
            rest = hold(hotel, DEBTOR, FULL_CAP_FEN - AMOUNT_FEN, key="rest")
            assert rest.status_code == 201, "the hold after the backup is gone"


def test_a_database_that_is_not_empty_is_replaced_only_where_that_is_asked_for(
    folder: Path, stores: OwnStores, saved: dict[str, Any]
) -> None:
    environ = another_database(stores.environ, "third")
    once = ("restore", str(folder / "saved"), "--accept-older")
    command(folder, environ, *once)
    assert "not empty" in command(folder, environ, *once, code=2)
    assert "is accepted" in command(folder, environ, *once, "--replace")
    state = json.loads(command(folder, environ, "status", "--json"))
    assert state["version"] == saved["manifest"]["list"]["version"]
    assert "0 faults" in command(folder, environ, "audit", "verify")


def test_a_restore_that_fails_leaves_the_database_as_it_was(
    folder: Path, stores: OwnStores, saved: dict[str, Any]
) -> None:
    broken = folder / "broken"
    broken.mkdir(mode=0o700)
    half = (folder / "saved" / "database.dump").read_bytes()[:20_000]
    (broken / "database.dump").write_bytes(half)
    manifest = json.loads((folder / "saved" / "manifest.json").read_text())
    (broken / "manifest.json").write_text(json.dumps(manifest))
    restore = ("restore", str(broken), "--replace")
    assert "database.dump is not the file" in command(folder, stores.environ, *restore, code=2)

    manifest["files"] = {}
    (broken / "manifest.json").write_text(json.dumps(manifest))
    before = json.loads(command(folder, stores.environ, "status", "--json"))
    assert "pg_restore failed" in command(folder, stores.environ, *restore, code=1)
    assert json.loads(command(folder, stores.environ, "status", "--json")) == before


def test_a_backup_has_private_files_and_keys_only_where_that_is_asked_for(
    folder: Path, stores: OwnStores, saved: dict[str, Any]
) -> None:
    plain = folder / "saved"
    assert {path.name for path in plain.iterdir()} == {"manifest.json", "database.dump"}
    assert {path.stat().st_mode & 0o777 for path in plain.iterdir()} == {0o600}
    assert plain.stat().st_mode & 0o777 == 0o700
    assert "exists already" in command(folder, stores.environ, "backup", str(plain), code=2)

    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    environ = another_database(stores.environ, "fourth")
    assert "has no secrets" in command(elsewhere, environ, "restore", str(plain), code=2)
    command(folder, stores.environ, "backup", str(folder / "with keys"), "--with-keys")
    command(elsewhere, environ, "restore", str(folder / "with keys"), "--accept-older")
    state = json.loads(command(elsewhere, environ, "status", "--json"))
    assert state["version"] == saved["manifest"]["list"]["version"] + 1
