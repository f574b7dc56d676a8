"""`checker batch` refuses a sheet that it cannot read, before any server is started."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from checker.cli.main import main

NUMBER = "440882189001011230"
SHEET = f"姓名,身份证号,车次,席别\n陈示例,{NUMBER},G79,二等座\n"


def run(tmp_path: Path, content: str | bytes, *arguments: str, name: str = "list.csv") -> Result:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    data_dir = tmp_path / "data"
    done = CliRunner().invoke(main, ("batch", str(file), "--data-dir", str(data_dir), *arguments))
    assert not data_dir.exists()
    assert NUMBER not in done.output
    return done


@pytest.mark.parametrize(
    ("content", "arguments", "told"),
    [
        ("", (), "has no content"),
        ("a,b\n1,2\n", (), "no row names a column"),
        (f"{NUMBER}\n", (), "no row names a column"),
        (b"\xd0\xcf\x11\xe0", (), "save it as .xlsx"),
        (b"PK\x03\x04", (), "no workbook"),
        (f"身份证号\n{NUMBER}\n", (), "names a service"),
        (SHEET, ("--layout", "school"), "who pays"),
        (SHEET, ("--layout", "cinema"), "--layout"),
        (SHEET, ("--service", "submarine"), "/service/type"),
        (SHEET, ("--service", "air"), "/service/flight"),
        (SHEET, ("--service", '{"type": '), "--service"),
        (SHEET, ("--out", "/nowhere/list.csv"), "--out"),
        (SHEET, ("--jurisdiction", "99"), "GB/T 2260"),
        (SHEET.replace("车次,席别", "decision,reason,section,remedy"), (), "an earlier check"),
        (f'身份证号,航班\n"{NUMBER},CZ1\n', (), "line 2"),
    ],
)
def test_a_sheet_that_cannot_be_checked_is_refused_in_a_line(tmp_path, content, arguments, told):
    done = run(tmp_path, content, *arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert not [*tmp_path.glob("*-checked*")]


def test_the_sheet_itself_is_never_overwritten(tmp_path):
    done = run(tmp_path, SHEET, "--out", str(tmp_path / "list.csv"))
    assert done.exit_code == 2
    assert "--out" in done.stderr
    assert (tmp_path / "list.csv").read_text() == SHEET


def test_the_columns_are_shown_and_nothing_is_checked(tmp_path):
    done = run(tmp_path, SHEET.replace("车次", "航班,车次"), "--columns", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert report["layout"] == "manifest"
    assert report["file"] is None
    assert report["columns"] == {
        "姓名": "name",
        "身份证号": "number: resident_id",
        "航班": "air.flight",
        "车次": "rail.train",
        "席别": "rail.seat",
    }
