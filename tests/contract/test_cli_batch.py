"""`checker batch` beside a server: the same sheet comes back, and each row has its end."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.running_service import RunningService, run_command
from tests.support.sheets import cells_of, csv_of, workbook_of
from tests.support.town import (
    COURT,
    DEBTOR,
    DEBTOR_NAME,
    INNOCENT,
    LEGAL_REPRESENTATIVE,
    MARKS,
    OTHER_NAME,
)

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

HEADER = ["旅客姓名", "证件类型", "证件号码", "车次", "席别"]
SEAT = ["G79", "二等座"]


def test_a_manifest_comes_back_with_a_decision_or_a_fault_for_each_row(
    service: RunningService, tmp_path: Path
) -> None:
    rows = [
        ["旅行社名单"],
        HEADER,
        [DEBTOR_NAME, "身份证", DEBTOR, *SEAT],
        ["吴清白", "身份证", INNOCENT, *SEAT],
        [OTHER_NAME, "身份证", DEBTOR, *SEAT],
        [DEBTOR_NAME, "身份证", "4.40882E+17", *SEAT],
        [DEBTOR_NAME, "身份证", DEBTOR[:17], *SEAT],
    ]
    file = tmp_path / "list.csv"
    file.write_bytes(csv_of(rows, encoding="gb18030"))
    done = run_command(service.data_dir, "batch", str(file), "--json")
    assert (done.returncode, done.stderr) == (4, "")
    assert not [mark for mark in MARKS if mark in done.stdout]
    report = json.loads(done.stdout)
    assert report["rows"] == {"not_checkable": 2, "deny": 1, "allow": 1, "review": 1}
    written = Path(report["file"]).read_bytes().decode("gb18030")
    _, header, *answers = [row[5:] for row in csv.reader(io.StringIO(written))]
    assert header == ["decision", "reason", "section", "remedy"]
    decision, reason, section, remedy = answers[0]
    assert (decision, section) == ("deny", "cn-2016-64/2.7.1")
    assert reason.startswith("restricted: ")
    assert COURT in remedy
    assert answers[1] == ["allow", "", "", ""]
    assert [answer[0] for answer in answers[2:]] == ["review", "not_checkable", "not_checkable"]
    codes = [answer[1].partition(":")[0] for answer in answers[2:]]
    assert codes == ["name_mismatch", "rounded", "invalid_number"]


def test_a_workbook_whose_rows_all_end_as_decisions_ends_with_code_0(
    service: RunningService, tmp_path: Path
) -> None:
    header = ["学生姓名", "学生身份证号", "监护人", "监护人身份证号", "学费"]
    rows = [
        ["陈幼", DEBTOR, "李法定", LEGAL_REPRESENTATIVE, "8万"],
        ["陈幼", DEBTOR, "吴清白", INNOCENT, "8万"],
    ]
    file, out = tmp_path / "list.xlsx", tmp_path / "answers.xlsx"
    file.write_bytes(workbook_of([header, *rows]))
    done = run_command(service.data_dir, "batch", str(file), "--out", str(out), "--language", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert not [mark for mark in MARKS if mark in done.stdout]
    _, first, second = cells_of(out.read_bytes())
    # The command has no settings, and so no figure for a high fee.
    assert (first[5], first[7], second[5]) == ("review", "cn-2016-64/2.7.4", "allow")
    assert first[6].startswith("threshold_unset: ")
    assert out.stat().st_mode & 0o077 == 0
