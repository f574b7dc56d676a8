"""Files of measures: what they may not say stops the start, by file and line."""

import pytest

from checker.domain.role import Role
from checker.policy.errors import PolicyError
from checker.policy.loader import PolicyText, builtin_policies, load_policies

GOOD = """\
id = "demo"
jurisdiction = "44"
listing_kinds = ["dishonest"]

[source]
title = { zh = "示例", en = "Demo" }

[[measures]]
id = "1.1"
section = "一（一）"
title = { zh = "乘坐火车限制", en = "Trains" }
authorities = ["市人民法院"]

[[measures.clauses]]
service = "rail"
roles = "all"
effect = "restrict"
when.train_class = { in = ["G"] }
when.berth = { in = ["first"] }

[[measures]]
id = "1.2"
section = "一（二）"
title = { zh = "限额", en = "Cap" }

[[measures.clauses]]
service = "resort"
roles = [
    "debtor",
]
effect = "cap"

[[measures.clauses]]
service = "insurance"
roles = ["debtor", "principal"]
effect = "restrict"
when.cash_value = { is = true }
when.annual_premium_fen = { at_least_setting = "high_premium_fen" }

[[measures.clauses]]
service = "lodging"
roles = "all"
effect = "restrict"
when.star_rating = { at_least = 1 }
"""

FILES = ["cn-2016-64.toml", "cn-spc-2015-17.toml", "leizhou.toml"]

# what stands there, what is written instead, the line that is named, what the error says
FAULTS = [
    ('id = "demo"', 'id = ""', 1, "id is empty"),
    ('id = "demo"', "id = 1", 1, "id must be a text"),
    ('id = "demo"', 'id = "demo', 1, "not TOML"),
    ('jurisdiction = "44"', 'jurisdiction = "99"', 2, "GB/T 2260"),
    ('jurisdiction = "44"', 'place = "44"', 2, "allowed: id, jurisdiction, source, listing_kinds"),
    ('["dishonest"]', '["honest"]', 3, "allowed: dishonest, consumption_order"),
    ('["dishonest"]', '"dishonest"', 3, "listing_kinds must be a list"),
    (
        'effect = "cap"',
        'effect = "cap"\npersons_only = 1',
        32,
        "persons_only must be true or false",
    ),
    ("[source]", "[origin]", 5, "unknown key 'origin'"),
    ('en = "Demo" }', 'en = "Demo", fr = "x" }', 6, "unknown key 'fr'; allowed: zh, en"),
    ('zh = "示例", ', "", 6, "zh is missing"),
    ('section = "一（一）"\n', "", 8, "section is missing"),
    ('authorities = ["市人民法院"]', "authorities = [1]", 12, "a list of texts"),
    ('authorities = ["市人民法院"]', 'authorities = ["甲", "甲"]', 12, "something twice"),
    ('authorities = ["市人民法院"]', 'authorities = "市人民法院"', 12, "must be a list"),
    ('service = "rail"', 'service = "train"', 15, "unknown service 'train'; allowed: rail, air"),
    ('roles = "all"', 'roles = "everybody"', 16, "roles must be 'all' or a list of: debtor"),
    ('roles = "all"', 'roles = ["debtor", "child"]', 16, "unknown roles 'child'; allowed: debtor"),
    ('roles = "all"', "roles = []", 16, "a list of texts"),
    ('effect = "restrict"', 'effect = "forbid"', 17, "allowed: restrict, cap, reference"),
    ('effect = "restrict"', 'effect = "cap"', 17, "rail has no amount_fen"),
    ("when.train_class", "wenn.train_class", 18, "unknown key 'wenn'"),
    (
        "when.train_class",
        "when.train",
        18,
        "unknown key 'train'; allowed: train_class, is_emu, berth",
    ),
    ('{ in = ["G"] }', '{ in = ["G", "H"] }', 18, "allowed: G, D, C, S"),
    ('{ in = ["G"] }', "{ at_least = 1 }", 18, "unknown key 'at_least'; allowed: in"),
    ('{ in = ["G"] }', "{}", 18, "train_class needs exactly one of: in"),
    ('{ in = ["G"] }', '["G"]', 18, "train_class must be a table"),
    ('{ in = ["first"] }', '{ in = ["frist"] }', 19, "unknown in 'frist'; allowed: business"),
    ('id = "1.2"', 'id = "1.1"', 22, "'demo/1.1' is there twice"),
    ('    "debtor",\n', '    "debtr",\n', 28, "unknown roles 'debtr'"),
    ("{ is = true }", '{ is = "yes" }', 37, "is must be true or false"),
    ("{ is = true }", "{ at_least = 1 }", 37, "allowed: is"),
    ('"high_premium_fen"', '"high_premium"', 38, "allowed: high_school_fee_fen, high_premium_fen"),
    ('"high_premium_fen" }', '"high_premium_fen", at_least = 1 }', 38, "exactly one of"),
    ("at_least = 1 }", "at_least = true }", 44, "at_least must be a whole number"),
    ("at_least = 1 }", "at_least = -1 }", 44, "at_least is below 0"),
]


def load(text: str) -> None:
    load_policies([PolicyText(file="demo.toml", text=text)], {})


def test_the_file_the_faults_are_made_from_is_good() -> None:
    load(GOOD)


@pytest.mark.parametrize(("there", "instead", "line", "says"), FAULTS)
def test_a_fault_is_named_with_file_and_line(
    there: str, instead: str, line: int, says: str
) -> None:
    assert there in GOOD
    with pytest.raises(PolicyError) as caught:
        load(GOOD.replace(there, instead, 1))
    assert str(caught.value).startswith(f"demo.toml:{line}: ")
    assert says in str(caught.value)
    assert (caught.value.file, caught.value.line) == ("demo.toml", line)


@pytest.mark.parametrize("text", ["", 'id = "demo"\njurisdiction = "CN"\n', "measures = []"])
def test_a_file_that_says_too_little_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match=r"^demo\.toml.* is missing"):
        load(text)


def test_a_policy_without_measures_is_refused() -> None:
    head = GOOD[: GOOD.index("[[measures]]")]
    with pytest.raises(PolicyError, match="measures is missing"):
        load(head)
    with pytest.raises(PolicyError, match="measures must be a list of tables, at least one"):
        load("measures = []\n" + head)


def test_one_measure_in_two_files_is_refused_in_the_second() -> None:
    twice = [PolicyText(file=file, text=GOOD) for file in ("one.toml", "two.toml")]
    with pytest.raises(PolicyError, match=r"^two\.toml:9: measure 'demo/1\.1' is there twice"):
        load_policies(twice, {})


def test_a_measure_is_described_by_what_its_clauses_name() -> None:
    book = load_policies([PolicyText(file="demo.toml", text=GOOD)], {})
    trains, cap = (measure.describe() for measure in book.measures)
    assert (trains.id, trains.services, trains.roles) == ("demo/1.1", ("rail",), tuple(Role))
    assert trains.authorities == ("市人民法院",)
    assert cap.services == ("lodging", "resort", "insurance")
    assert (cap.jurisdiction, cap.section, cap.title.en) == ("44", "一（二）", "Cap")


def test_the_files_of_both_documents_come_with_the_package() -> None:
    assert [policy.file for policy in builtin_policies()] == FILES
