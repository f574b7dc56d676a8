"""The configuration: where it comes from, and that every error names file and key."""

from datetime import timedelta
from pathlib import Path

import pytest

from checker.config import load_config
from checker.domain.clock import CapPeriod
from checker.domain.deadlines import DueBasis
from checker.domain.fishing import FishingSettings
from checker.domain.listing_kind import ListingKind
from checker.domain.retention import RetentionSettings
from checker.domain.settings import Settings
from checker.errors import ConfigurationError
from checker.intake.snapshot_limits import REJECTED_SHARE_MAX
from checker.logs import LogFormat
from checker.node.foundation import read_policies

CONTRACT = """
[jurisdiction.CN]
high_school_fee_fen = 6_000_000
high_premium_fen = 1_000_000
resort_cap_fen = 200_000
resort_cap_period = "month"
"""


def write(folder, text, name="config.toml"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_without_anything_said_the_servers_are_embedded_and_nothing_is_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_config({})

    assert config.data_dir == tmp_path / "checker-data"
    assert (config.database_url, config.redis_url, config.config_file) == (None, None, None)
    assert config.jurisdictions == {}
    assert config.list.stale_after_hours == 48
    assert config.list.stale_after_ms == 48 * 3_600_000
    assert config.list.rejected_share_max == REJECTED_SHARE_MAX


def test_when_an_account_seems_to_fish_can_be_set(tmp_path):
    text = "[fishing]\nadverse_share = 0.2\nkind_accounts_min = 0\n"
    config = load_config({}, config_file=write(tmp_path, text))

    assert config.fishing == FishingSettings(adverse_share=0.2, kind_accounts_min=0)
    assert load_config({}).fishing == FishingSettings()


def test_the_terms_of_retention_can_be_set(tmp_path):
    text = "[retention]\nlisting_days = 366\npermit_days = 400\n"
    config = load_config({}, config_file=write(tmp_path, text))

    assert config.retention == RetentionSettings(listing_days=366, permit_days=400)
    assert config.retention.past_sales_for == timedelta(days=366)
    assert load_config({}).retention == RetentionSettings()
    with pytest.raises(ConfigurationError):
        load_config({}, config_file=write(tmp_path, "[retention]\nlisting_days = 1\n"))


def test_the_basis_of_the_courts_days_can_be_set(tmp_path):
    text = '[policy]\nremoval_basis = "working"\n'
    config = load_config({}, config_file=write(tmp_path, text))

    assert config.policy.removal_basis is DueBasis.WORKING
    assert load_config({}).policy.removal_basis is DueBasis.CALENDAR_ROLL
    with pytest.raises(ConfigurationError):
        load_config({}, config_file=write(tmp_path, '[policy]\nremoval_basis = "days"\n'))


def test_the_contracts_example_is_read(tmp_path):
    config = load_config({}, config_file=write(tmp_path, CONTRACT))

    assert config.jurisdictions == {
        "CN": Settings(
            high_school_fee_fen=6_000_000,
            high_premium_fen=1_000_000,
            resort_cap_fen=200_000,
            resort_cap_period=CapPeriod.MONTH,
        )
    }


def test_the_rule_on_consumption_binds_entries_only_if_the_file_says_so(tmp_path):
    kinds = {}
    for said in ("true", "false"):
        text = f"[policy]\nspc_rule_binds_dishonest = {said}\n"
        book = read_policies(load_config({}, config_file=write(tmp_path, text)))
        kinds[said] = {
            measure.listing_kinds
            for measure in book.measures
            if measure.id.startswith("cn-spc-2015-17/")
        }

    assert kinds["true"] == {frozenset(ListingKind)}
    assert kinds["false"] == {frozenset({ListingKind.CONSUMPTION_ORDER})}


@pytest.mark.parametrize("said", ["1", '"true"', "[]"])
def test_whether_the_rule_binds_entries_is_true_or_false(tmp_path, said):
    file = write(tmp_path, f"[policy]\nspc_rule_binds_dishonest = {said}\n")
    with pytest.raises(ConfigurationError, match="spc_rule_binds_dishonest"):
        load_config({}, config_file=file)


def test_the_environment_names_directory_file_and_servers(tmp_path):
    file = write(tmp_path, "[list]\nstale_after_hours = 3\n", "other.toml")
    config = load_config(
        {
            "CHECKER_DATA_DIR": str(tmp_path / "data"),
            "CHECKER_CONFIG": str(file),
            "DATABASE_URL": "postgresql://db/checker",
            "REDIS_URL": "redis://cache",
        }
    )

    assert (config.data_dir, config.config_file) == (tmp_path / "data", file)
    assert (config.database_url, config.redis_url) == ("postgresql://db/checker", "redis://cache")
    assert config.list.stale_after_hours == 3


def test_an_empty_variable_is_one_that_is_not_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ("CHECKER_DATA_DIR", "CHECKER_CONFIG", "DATABASE_URL", "REDIS_URL")

    assert load_config(dict.fromkeys(names, "")) == load_config({})


def test_arguments_go_before_the_environment(tmp_path):
    named, other = write(tmp_path, CONTRACT, "named.toml"), write(tmp_path, "x", "other.toml")
    environ = {"CHECKER_DATA_DIR": "/nowhere", "CHECKER_CONFIG": str(other)}
    config = load_config(environ, data_dir=tmp_path, config_file=named)

    assert (config.data_dir, config.config_file) == (tmp_path, named)


def test_the_data_directorys_own_file_is_read_where_none_is_named(tmp_path):
    own = write(tmp_path, "[list]\nstale_after_hours = 1\n")
    named = write(tmp_path, "[list]\nstale_after_hours = 2\n", "named.toml")

    assert load_config({}, data_dir=tmp_path).config_file == own
    assert load_config({}, data_dir=tmp_path, config_file=named).list.stale_after_hours == 2


def test_a_relative_directory_stays_where_it_was_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert load_config({}, data_dir=Path("here")).data_dir == tmp_path / "here"


def test_receipts_have_an_issuer_and_verify_for_twenty_years_unless_told_otherwise(tmp_path):
    told = load_config({}, data_dir=tmp_path).receipts
    file = write(tmp_path, '[receipts]\nissuer = "court.example"\nkeys_published_years = 3\n')
    set_otherwise = load_config({}, config_file=file).receipts

    assert (told.issuer, told.keys_published_for.days) == ("checker", 20 * 366)
    assert (set_otherwise.issuer, set_otherwise.keys_published_for.days) == (
        "court.example",
        3 * 366,
    )


def test_the_environment_says_how_lines_are_written_before_the_file_does(tmp_path):
    file = write(tmp_path, '[log]\nformat = "text"\n')

    assert load_config({}, data_dir=tmp_path / "none").log.format is None
    assert load_config({}, config_file=file).log.format is LogFormat.TEXT
    said = {"CHECKER_LOG_FORMAT": "json"}
    assert load_config(said, config_file=file).log.format is LogFormat.JSON
    with pytest.raises(ConfigurationError, match="CHECKER_LOG_FORMAT"):
        load_config({"CHECKER_LOG_FORMAT": "xml"})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[log]\nformat = "xml"\n', "format"),
        ("[lists]\nstale_after_hours = 3\n", "lists"),
        ("list = 3\n", "list"),
        ("[list]\nstale_after_hour = 3\n", "stale_after_hour"),
        ("[list]\nstale_after_hours = 0\n", "stale_after_hours"),
        ("[list]\nstale_after_hours = 8785\n", "stale_after_hours"),
        ("[list]\nstale_after_hours = 1.5\n", "stale_after_hours"),
        ('[list]\nstale_after_hours = "48"\n', "stale_after_hours"),
        ("[list]\nstale_after_hours = true\n", "stale_after_hours"),
        ("[list]\nrejected_share_max = 1.5\n", "rejected_share_max"),
        ("[list]\nrejected_share_max = -0.1\n", "rejected_share_max"),
        ('[list]\nrejected_share_max = "0.1"\n', "rejected_share_max"),
        ("[receipts]\nissuer = ''\n", "issuer"),
        ("[receipts]\nkeys_published_years = 0\n", "keys_published_years"),
        ("[receipts]\nkey_published_years = 5\n", "key_published_years"),
        ("jurisdiction = 3\n", "jurisdiction"),
        ("[jurisdiction]\nCN = 3\n", "CN"),
        ("[jurisdiction.XX]\nhigh_premium_fen = 1\n", "XX"),
        ("[jurisdiction.CN]\nhigh_premium = 1\n", "high_premium"),
        ("[jurisdiction.CN]\nhigh_premium_fen = -1\n", "high_premium_fen"),
        ("[jurisdiction.CN]\nhigh_premium_fen = 1e6\n", "high_premium_fen"),
        ('[jurisdiction.CN]\nhigh_premium_fen = "1"\n', "high_premium_fen"),
        ("[jurisdiction.CN]\nhigh_premium_fen = true\n", "high_premium_fen"),
        ('[jurisdiction.CN]\nresort_cap_period = "week"\n', "resort_cap_period"),
        ("[jurisdiction.CN]\nresort_cap_period = 1\n", "resort_cap_period"),
        ("[list\n", "line 1"),
        ("[list]\nstale_after_hours = 3\nstale_after_hours = 4\n", "line 3"),
    ],
)
def test_an_error_names_file_and_key(tmp_path, text, key):
    file = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as refused:
        load_config({}, config_file=file)

    assert str(file) in str(refused.value)
    assert key in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.toml"):
        load_config({}, config_file=tmp_path / "missing.toml")


def test_a_file_that_is_no_text_is_told(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(b"# \xb3\xc2\n")

    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        load_config({}, data_dir=tmp_path)


@pytest.mark.parametrize("url", ["sentinel://:hunter2@a", "hunter2", "redis://:hunter2@a/first"])
def test_a_redis_url_that_cannot_be_right_stops_the_start(url):
    with pytest.raises(ConfigurationError) as refused:
        load_config({"REDIS_URL": url})
    assert str(refused.value).startswith("REDIS_URL ")
    assert "hunter2" not in str(refused.value)


def test_the_prefix_on_redis_comes_from_the_environment_or_the_file(tmp_path):
    file = write(tmp_path, '[redis]\nprefix = "second"\n')
    assert load_config({}).redis.prefix == "checker"
    assert load_config({}, config_file=file).redis.prefix == "second"
    environ = {"CHECKER_REDIS_PREFIX": "third"}
    assert load_config(environ, config_file=file).redis.prefix == "third"


@pytest.mark.parametrize("prefix", ["a:b", "*", "a" * 65, " "])
def test_a_prefix_that_could_be_another_ones_beginning_is_refused(tmp_path, prefix):
    with pytest.raises(ConfigurationError, match="CHECKER_REDIS_PREFIX"):
        load_config({"CHECKER_REDIS_PREFIX": prefix})
    with pytest.raises(ConfigurationError, match="prefix"):
        load_config({}, config_file=write(tmp_path, f'[redis]\nprefix = "{prefix}"\n'))
