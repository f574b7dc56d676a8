"""The keys of a deployment are replaced while it runs, from any stage on."""

import base64
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cache.token import Tokenizer
from checker.audit.months import Months
from checker.database.locks import Lock, hold_to_commit
from checker.errors import ConfigurationError, Conflict
from checker.node.record import NotedHeads, verify_record
from checker.node.runtime import open_runtime
from checker.node.upkeep import publisher_running
from checker.registry.purge import purge_listings, purge_permits
from checker.registry.sealing import PARTY_NAME, Sealer
from checker.rotation.places import SEALED_COLUMNS
from checker.rotation.rotation import EndedKeys
from checker.vault import Vault
from tests.integration.record.record_grounds import SEALER
from tests.integration.record.rotation_grounds import (
    KEYS,
    TOKEN_KEY,
    Rotating,
    fill_further,
    keep_secrets,
    kept_keys,
    rotation_of,
)
from tests.support.registry_grounds import AT, config_of

pytestmark = pytest.mark.anyio

HEADS = "SELECT DISTINCT substr({0.column}, 1, 2) FROM {0.table} WHERE {0.column} IS NOT NULL"
# Each is reported when it is done. The first two of a rotation, then some of each stage.
STEPS = (
    "the encryption key 2 stands in",
    "the token key 2 stands in",
    "seal with it now",
    "webhook.url",
    "document.number",
    "know the token key",
    "document: the tokens",
    "open_hold: the tokens",
)
A_NAME = "SELECT pk, id, party_name FROM listing WHERE pk = (SELECT min(pk) FROM listing)"
LONG_AFTER = AT + timedelta(days=10_000)
ACTIONS = (
    "SELECT action, outcome, target FROM operator_action"
    " WHERE action ~ '(encryption|token)_key' ORDER BY pk"
)


class Interrupted(Exception):
    """Stands for the end of a command by its user, by a kill, or by a lost connection."""


@pytest.fixture
async def full(record):
    """A record with a value in every sealed column."""
    await fill_further(record)
    return record


@pytest.fixture
def config(tmp_path, copied_url, redis_url):
    keep_secrets(tmp_path, 1)
    return config_of(tmp_path, copied_url, redis_url)


def interrupted_at(step):
    """Return a report that ends the rotation at a step."""

    def report(done):
        if step in done:
            raise Interrupted

    return report


@pytest.fixture
def rotating(record, config):
    return Rotating(record, config)


async def numbers_in(record):
    """Return the numbers of all keys under which a value stands. Each column must have a value."""
    found = set()
    for column in SEALED_COLUMNS:
        heads = [bytes(row[0]) for row in await record.query(HEADS.format(column))]
        assert heads, f"{column.name} has no value to try"
        found |= {head[1] for head in heads}
    return found


async def faults_by(record, keys):
    """Verify the whole record with these encryption keys and the key of the journal."""
    vault = Vault(keys)
    vault.take_journal_key(SEALER.vault.journal_key)
    # Plans of whole rows end with the columns that come and go.
    await record.engine.dispose()
    told = await verify_record(record.engine, Sealer(Tokenizer(TOKEN_KEY), vault), NotedHeads())
    return [*told.decisions.faults, *told.journal.faults, *told.spending.faults]


async def test_a_row_whose_time_was_over_needs_no_key_and_may_be_emptied_after_a_rotation(
    full, config, rotating
):
    async with full.engine.begin() as connection:
        assert await purge_listings(connection, SEALER.vault, before=LONG_AFTER, now=LONG_AFTER)
    result = await rotating.rotate()

    assert (result.left, result.damaged) == (0, 0)
    assert (await rotating.finish()).key == 2
    async with open_runtime(config, {}) as later, later.engine.begin() as connection:
        vault = later.sealer.vault
        assert await purge_permits(connection, vault, before=LONG_AFTER, now=LONG_AFTER)


async def test_every_value_is_sealed_again_in_spite_of_interruptions_and_the_record_verifies(
    full, config, rotating
):
    assert await faults_by(full, KEYS) == []
    for step in STEPS:
        with pytest.raises(Interrupted):
            await rotating.rotate(report=interrupted_at(step))
        with pytest.raises(Conflict):
            await rotating.finish(wait_s=0)
        keys = kept_keys(config.data_dir)
        assert keys.keys() == {1, 2}
        if step == "document.number":
            assert await numbers_in(full) == {1, 2}
        assert await faults_by(full, keys) == []
    with pytest.raises(Interrupted):
        await rotating.rotate(report=interrupted_at("all tokens stand"))
    result = await rotating.rotate()

    assert (result.key, result.token_key, result.left, result.damaged) == (2, 2, 0, 0)
    assert await numbers_in(full) == {2}
    again = await rotating.rotate()
    assert (again.sealed_again, again.copied) == (0, 0)
    assert kept_keys(config.data_dir) == keys
    assert (await rotating.finish()).key == 2
    assert kept_keys(config.data_dir) == {2: keys[2]}
    assert await faults_by(full, {2: keys[2]}) == []
    # The constraints that refuse the older key hold for a month that is made later too.
    assert await Months(full.engine, SEALER.vault, 60).prepare(AT + timedelta(days=100))
    async with open_runtime(config, {}) as again:
        [row] = await full.query(A_NAME)
        assert again.sealer.vault.open(row.party_name, PARTY_NAME, row.id)
        assert again.sealer.vault.journal_key == SEALER.vault.journal_key
    with pytest.raises(Conflict, match="no older"):
        await rotating.finish()


async def test_a_second_rotation_follows_the_first(full, config, rotating):
    for number in (2, 3):
        assert (await rotating.rotate()).key == number
        assert (await rotating.finish()).key == number
        assert await faults_by(full, kept_keys(config.data_dir)) == []
    actions = [tuple(row) for row in await full.query(ACTIONS)]
    assert actions == [
        (action, outcome, str(number))
        for number in (2, 3)
        for action in (
            "rotate_encryption_key",
            "rotate_token_key",
            "end_encryption_key",
            "end_token_key",
        )
        for outcome in ("begun", "done")
    ]


async def test_no_process_is_left_without_the_new_key(record, config, tmp_path_factory, rotating):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    keep_secrets(elsewhere, 1)
    other = config_of(elsewhere, config.database_url, config.redis_url)
    async with open_runtime(other, {}) as behind:
        with pytest.raises(Conflict, match="lack the encryption key 2"):
            await rotating.rotate(wait_s=0)
        assert behind.sealer.vault.sealing == 1
        # The file of the other machine gets the key: its processes learn it without a restart.
        keys = kept_keys(config.data_dir)
        (elsewhere / "secrets.json").write_bytes((config.data_dir / "secrets.json").read_bytes())
        assert (await rotating.rotate()).key == 2
        assert behind.sealer.vault.sealing == 2
        assert behind.sealer.vault.fingerprints == Vault(keys).fingerprints
    keep_secrets(elsewhere, 1)
    with pytest.raises(ConfigurationError, match="encryption key 2 is needed"):
        async with open_runtime(other, {}):
            pass
    keep_secrets(elsewhere, 1, 2)
    with pytest.raises(ConfigurationError, match="another encryption key 2"):
        async with open_runtime(other, {}):
            pass


async def test_a_process_that_has_ended_is_waited_for_no_longer(record, config, rotating):
    async with open_runtime(config, {}):
        pass
    await record.tamper(
        "INSERT INTO encryption_key_holder VALUES ('dead', '{}', 1, now() - interval '31 s')"
    )
    assert (await rotating.rotate(wait_s=5)).key == 2


async def test_a_value_that_comes_late_under_an_older_key_is_refused_and_not_lost(
    record, config, rotating
):
    late = SEALER.vault.seal("示例人甲", PARTY_NAME, "listing-1")
    await rotating.rotate()
    write = text("UPDATE listing SET party_name = :late WHERE id = 'listing-1'")
    async with record.engine.begin() as connection:
        await connection.execute(write, {"late": late})
    with pytest.raises(Conflict, match=r"listing\.party_name"):
        await rotating.finish()
    assert (await rotating.rotate()).sealed_again > 0
    await rotating.finish()

    with pytest.raises(IntegrityError, match="ck_listing_party_name_sealed"):
        async with record.engine.begin() as connection:
            await connection.execute(write, {"late": late})


async def test_a_transaction_of_before_the_new_key_holds_up_the_end(record, config, rotating):
    await rotating.rotate()
    async with record.engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        with pytest.raises(Conflict, match="1 transactions are open"):
            await rotating.finish(wait_s=0)
    assert (await rotating.finish()).key == 2


async def test_a_row_that_somebody_holds_is_taken_by_the_next_run(record, config, rotating):
    async with record.engine.begin() as connection:
        await connection.execute(text("SELECT FROM listing WHERE id = 'listing-1' FOR UPDATE"))
        with pytest.raises(Conflict, match="stays open"):
            await rotating.rotate(wait_s=1)
    result = await rotating.rotate()
    assert result.sealed_again > 0
    assert result.left == 0


async def test_a_value_that_does_not_open_is_counted_and_holds_up_the_end(record, config, rotating):
    await record.tamper("UPDATE permit SET ground = ground || '\\x00'::bytea WHERE id = 'permit-1'")
    result = await rotating.rotate()

    assert (result.left, result.damaged) == (1, 1)
    with pytest.raises(Conflict, match=r"permit\.ground 1"):
        await rotating.finish()
    assert kept_keys(config.data_dir).keys() == {1, 2}


async def test_one_process_rotates_at_a_time(record, config, rotating):
    async with open_runtime(config, {}) as one, open_runtime(config, {}) as two:
        async with one.work_engine.begin() as connection:
            await hold_to_commit(connection, Lock.ROTATION)
            with pytest.raises(Conflict, match="another process rotates"):
                await rotation_of(two, config.data_dir).rotate()
        assert (await rotation_of(two, config.data_dir).rotate()).key == 2


async def test_secrets_of_the_environment_are_never_written(record, config, rotating):
    def environ(keys, token_keys=(1,)):
        given = {1: TOKEN_KEY, 2: KEYS[2]}
        return {
            "CHECKER_TOKEN_KEY": _numbered(given, token_keys),
            "CHECKER_ENCRYPTION_KEY": _numbered(KEYS, keys),
        }

    before = (config.data_dir / "secrets.json").read_bytes()
    async with open_runtime(config, environ([1])) as old:
        given = environ([1])
        with pytest.raises(ConfigurationError, match="CHECKER_ENCRYPTION_KEY"):
            await rotation_of(old, config.data_dir, environ=given).rotate()
    given = environ([1, 2])
    async with open_runtime(config, given) as old:
        with pytest.raises(ConfigurationError, match="CHECKER_TOKEN_KEY"):
            await rotation_of(old, config.data_dir, environ=given).rotate()
    given = environ([1, 2], [1, 2])
    async with open_runtime(config, given) as renewed:
        rotation = rotation_of(renewed, config.data_dir, environ=given)
        result = await rotation.rotate()
        assert (result.key, result.token_key) == (2, 2)
        async with publisher_running(renewed):
            assert await rotation.finish() == EndedKeys(key=2, token_key=2)
    async with open_runtime(config, environ([2], [1, 2])) as last:
        assert last.sealer.vault.sealing == 2
        assert last.token_keys.current.number == 2
    with pytest.raises(ConfigurationError, match="token key 2 is needed"):
        async with open_runtime(config, environ([2])):
            pass
    assert (config.data_dir / "secrets.json").read_bytes() == before


def _numbered(keys, numbers):
    return ",".join(f"{each}:{base64.b64encode(keys[each]).decode()}" for each in numbers)
