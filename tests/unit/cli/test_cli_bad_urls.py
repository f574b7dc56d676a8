"""Each parameter of REDIS_URL and DATABASE_URL with a nonsense value: exit code 2 and one line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cache import redis_url
from checker.cli.main import main
from checker.database import urls

COMMANDS = (
    ("serve",),
    ("status",),
    ("check", "--document", "440882189001011230", "--service", "air flight=CZ3101"),
)
SECRET = "hunter2"
REDIS = f"rediss://:{SECRET}@127.0.0.1:1/0?"
DATABASE = f"postgresql://me:{SECRET}@127.0.0.1:1/x?"

OF_REDIS = {
    "client_name=two%20words": "client_name",
    "db=no": "db",
    "health_check_interval=no": "health_check_interval",
    "health_check_interval=-1": "health_check_interval",
    "ssl_ca_certs=/nowhere.pem": "ssl_ca_certs",
    f"ssl_ca_certs={__file__}": "ssl_ca_certs",
    "ssl_ca_certs=%00": "ssl_ca_certs",
    "ssl_ca_path=/nowhere": "ssl_ca_path",
    "ssl_cert_reqs=no": "ssl_cert_reqs",
    "ssl_cert_reqs=": "ssl_cert_reqs",
    "ssl_certfile=/nowhere.pem": "ssl_certfile",
    f"ssl_certfile={__file__}&ssl_keyfile={__file__}": "ssl_certfile",
    "ssl_check_hostname=perhaps": "ssl_check_hostname",
    f"ssl_keyfile={__file__}": "ssl_keyfile",
    "ssl_min_version=no": "ssl_min_version",
    "ssl_min_version=1": "ssl_min_version",
    "ssl_min_version=99999999999999999999": "ssl_min_version",
    "ssl_min_version=771&ssl_min_version=772": "twice",
    "ssl_ciphers=none": "unknown parameter",
}
OF_THE_DATABASE = {
    "host=two%20words": "host",
    "host=%00": "host",
    "host=a:x": "host",
    "host=a&host=b": "host",
    "host=a,b&port=1,2,3": "host or port",
    "port=no": "port",
    "port=1,no": "port",
    "port=0": "port",
    "port=99999": "port",
    "port=1&port=2": "port",
    "ssl=no": "ssl",
    "ssl=require&ssl=no": "ssl",
    "sslmode=no": "sslmode",
    "sslmode=require&ssl=require": "sslmode",
    "sslrootcert=/nowhere.pem": "unknown parameter",
}
FREE_TEXTS = {"username", "password"}
"""Redis alone knows the users and their passwords."""


def run(data_dir: Path, command: tuple[str, ...], **environment: str) -> Result:
    arguments = (*command, "--data-dir", str(data_dir))
    return CliRunner().invoke(main, arguments, env=environment)


def refuse_other_than_a_line(result: Result, variable: str, told: str) -> None:
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"checker: {variable} ")
    assert told in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("parameters", OF_REDIS)
def test_a_nonsense_value_in_the_url_of_redis_is_named(
    tmp_path: Path, command: tuple[str, ...], parameters: str
) -> None:
    data_dir = tmp_path / "data"
    result = run(data_dir, command, REDIS_URL=REDIS + parameters, DATABASE_URL=DATABASE)
    refuse_other_than_a_line(result, "REDIS_URL", OF_REDIS[parameters])
    assert not data_dir.exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("parameters", OF_THE_DATABASE)
def test_a_nonsense_value_in_the_url_of_the_database_is_named(
    tmp_path: Path, command: tuple[str, ...], parameters: str
) -> None:
    data_dir = tmp_path / "data"
    url = f"postgresql://me:{SECRET}@/x?{parameters}"
    result = run(data_dir, command, DATABASE_URL=url, REDIS_URL=REDIS)
    refuse_other_than_a_line(result, "DATABASE_URL", OF_THE_DATABASE[parameters])
    assert not data_dir.exists()


def test_each_parameter_has_a_nonsense_value_here() -> None:
    tried = {pair.split("=")[0] for each in OF_REDIS for pair in each.split("&")}
    assert tried - {"ssl_ciphers"} == set(redis_url.PARAMETERS) - FREE_TEXTS
    tried = {pair.split("=")[0] for each in OF_THE_DATABASE for pair in each.split("&")}
    assert tried - {"sslrootcert"} == urls.PARAMETERS


@pytest.mark.parametrize("port", ["0", "99999"])
def test_a_port_that_no_server_has_is_named(tmp_path: Path, port: str) -> None:
    url = f"postgresql://me:{SECRET}@127.0.0.1:{port}/x"
    result = run(tmp_path / "data", ("status",), DATABASE_URL=url, REDIS_URL=REDIS)
    refuse_other_than_a_line(result, "DATABASE_URL", "port")
