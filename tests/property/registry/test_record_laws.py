"""Laws of reading the platform's records, whatever stands in their fields."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checker.formats.xgl import parse_xgl
from checker.formats.zxgk import parse_zxgk
from checker.registry.entry import LineRejected
from checker.registry.identity import case_words, court_words
from tests.support.platform_records import PERSON, READING, USCC, company, officer, record

TEXTS = st.text(max_size=20) | st.sampled_from(
    [PERSON, USCC, "法定代表人", "2016年05月04日", "暂无", '[{"iname": "李示例"}]', "[", '"', "0.0"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
UNDECIDING = st.sampled_from(
    ["age", "sexy", "areaName", "gistId", "regDate", "gistUnit", "duty", "performance", "iType"]
)
_ROW = {"XM": "李示例", "QY_MC": "示例", "QY_DM": USCC, "AH": "执1号", "ZXFYMC": "法院"}


def encoded(sent):
    return json.dumps(sent, ensure_ascii=False).encode(errors="surrogatepass")


@pytest.mark.parametrize(
    ("parse", "sent"),
    [(parse_zxgk, record()), (parse_zxgk, company()), (parse_xgl, _ROW | {"IDNUMBER": PERSON})],
)
@given(data=st.data())
def test_a_record_is_a_listing_or_is_rejected(parse, sent, data):
    fields = data.draw(st.dictionaries(st.sampled_from([*sent]), VALUES))
    words = ""
    try:
        entry = parse(encoded(sent | fields), READING)
    except LineRejected as rejected:
        words = rejected.detail
    else:
        assert entry.court
        assert entry.case_number
    assert PERSON not in words
    assert USCC not in words


@given(fields=st.dictionaries(UNDECIDING, VALUES))
def test_a_field_that_decides_nothing_never_costs_the_listing(fields):
    entry = parse_zxgk(encoded(record() | fields), READING)

    assert (entry.id, entry.party) == (parse_zxgk(encoded(record()), READING).id, entry.party)


@given(value=VALUES)
def test_whatever_stands_beside_an_officer_the_officer_is_reached(value):
    entry = parse_zxgk(encoded(company(qysler=[value, officer()])), READING)

    assert any(member.resolved for member in entry.officers)


@example(text="[字字1")
@example(text="2000")
@example(text="2068第2")
@example(text="（02682")
@example(text="1680年年)")
@given(text=st.text(alphabet="（）()〔〕[]2016 年粤0882执字第0123号之一\u3000", max_size=20))
def test_words_of_identity_stay_the_same_when_read_again(text):
    assert case_words(case_words(text)) == case_words(text)
    assert court_words(court_words(text)) == court_words(text)
