"""Settings that are refused before any server starts."""

from pathlib import Path

import pytest

from checker.config import load_config
from checker.errors import ConfigurationError
from checker.node.servers import open_servers, refuse_open_folder

SECRET = "hunter2"
URLS = {"REDIS_URL": "redis://localhost", "DATABASE_URL": "postgresql://localhost/checker"}


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o770, 0o722, 0o702])
def test_a_data_directory_in_which_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    with (
        pytest.raises(ConfigurationError) as refused,
        open_servers(load_config(URLS, data_dir=folder)),
    ):
        pass
    assert str(refused.value) == (
        f"others may write in the data directory (mode {mode:04o}): chmod go-w {folder}"
    )


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o750, 0o711])
def test_a_data_directory_in_which_its_owner_alone_writes_is_taken(
    tmp_path: Path, mode: int
) -> None:
    tmp_path.chmod(mode)
    refuse_open_folder(tmp_path)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_POOLER_URL needs DATABASE_URL"),
        ({"DATABASE_POOLER_URL": f"x:{SECRET}"}, "DATABASE_POOLER_URL is not a URL"),
    ],
)
def test_a_pooler_that_cannot_be_right_is_refused(
    tmp_path: Path, named: dict[str, str], told: str
) -> None:
    pooler = {"DATABASE_POOLER_URL": "postgresql://pooler/checker"}
    config = load_config(URLS | pooler | named, data_dir=tmp_path)
    with pytest.raises(ConfigurationError) as refused, open_servers(config):
        pass
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"mysql://u:{SECRET}@h/d", "must name a PostgreSQL database"),
        (SECRET, "not a URL"),
        (f"postgresql://h/d?{SECRET}=1", "unknown parameter"),
        (f"postgresql://u:{SECRET}@h:x/d", "not a URL"),
    ],
)
def test_a_database_url_that_cannot_be_right_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    config = load_config(URLS | {"DATABASE_URL": text}, data_dir=tmp_path)
    with pytest.raises(ConfigurationError) as refused, open_servers(config):
        pass
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
