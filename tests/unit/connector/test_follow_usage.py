"""Wrong usage of `checker feed follow`: answered by one line, before any server starts."""

import pytest
from click.testing import CliRunner

from checker.cli.commands import Commands
from checker.cli.follow import feed


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_bytes(b"abc.DEF-123\n")
    return str(file)


def run(tmp_path, *arguments):
    root = Commands(commands=[feed])
    data_dir = tmp_path / "data"
    result = CliRunner().invoke(
        root, ["feed", "follow", *arguments, "--data-dir", str(data_dir)], prog_name="checker"
    )
    assert not data_dir.exists()
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "URL"),
        (("ftp://lists.example/",), "http or https"),
        (("https://court:secret@lists.example/",), "--token-file"),
        (("https://lists.example/", "--interval", "0"), "--interval"),
        (("https://lists.example/", "--interval", "minute"), "--interval"),
        (("https://lists.example/", "--format", "csv"), "--format"),
        (("https://lists.example/", "--token-file", "/nowhere"), "does not exist"),
    ],
)
def test_wrong_usage_is_told_and_starts_nothing(tmp_path, arguments, told):
    result = run(tmp_path, *arguments)

    assert result.exit_code == 2
    assert told in result.stderr
    assert "secret" not in result.output


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe", b"a\x00b", b"a" * 9000])
def test_a_file_that_holds_no_token_is_refused_and_not_shown(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    result = run(tmp_path, "https://lists.example/", "--token-file", str(file))

    assert (result.exit_code, result.stderr) == (
        2,
        "checker: the token file does not hold one word of ASCII\n",
    )


def test_a_path_wants_no_token(tmp_path, token_file):
    result = run(tmp_path, str(tmp_path), "--token-file", token_file)

    assert result.exit_code == 2
    assert "wants no --token-file" in result.stderr
