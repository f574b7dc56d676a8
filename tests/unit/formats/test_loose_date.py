"""Dates in all shapes that exporters write."""

from datetime import date

import pytest

from checker.formats.loose_date import UnreadableDate, read_date

DAY = date(2016, 5, 4)


@pytest.mark.parametrize(
    "sent",
    [
        "2016年05月04日",
        "2016年5月4日",
        "2016年5月4日 00时00分00秒",
        "２０１６年０５月０４日",
        "2016-05-04",
        "2016-5-4",
        "2016/05/04",
        "2016.5.4",
        "2016. 05. 04",
        "20160504",
        20160504,
        20160504.0,
        "20160504.0",
        "2016-05-04 00:00:00",
        "2016-05-04 00:00:00.0",
        "2016-05-04T00:00:00",
        "2016/5/4 0:00",
        "2016/5/4 上午 0:00:00",
        "2016-05-03T16:00:00Z",
        "2016-05-03T16:00:00.000Z",
        "2016-05-04T00:00:00+08:00",
        "2016-05-04T00:00:00+0800",
        "20160504000000",
        "201605040000",
        "2016050400",
        "2016050412",
        1462291200,
        "1462291200",
        1462291200.0,
        1462291200000,
        "1462291200000",
        "1462291200000000",
        42494,
        "42494.0",
        42494.5,
        "May 4, 2016 12:00:00 AM",
        "May 4, 2016",
        "Wed May 04 00:00:00 CST 2016",
        "/Date(1462291200000)/",
        "/Date(1462291200000+0800)/",
        {"$date": "2016-05-03T16:00:00Z"},
        {"$date": {"$numberLong": "1462291200000"}},
        {"time": 1462291200000, "year": 116, "month": 4, "date": 4},
        [2016, 5, 4],
        [2016, 5, 4, 0, 0],
        ["2016年05月04日"],
        " 2016年05月04日\n",
        "2016年\n05月04日",
    ],
)
def test_a_date_is_read_in_every_shape(sent):
    assert read_date(sent) == DAY


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        " ",
        "暂无",
        "无",
        "--",
        "-",
        "——",
        "/",
        "null",
        "NULL",
        "None",
        "NaN",
        "N/A",
        0,
        0.0,
        "0",
        "0.0",
        "00000000",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "0000年00月00日",
        False,
        [],
        {},
        {"$date": None},
    ],
)
def test_a_value_that_means_nothing_is_no_date(sent):
    assert read_date(sent) is None


@pytest.mark.parametrize(
    "sent",
    [
        "2016年13月04日",
        "20160230",
        "2016",
        2016,
        "201605",
        "soon",
        "00000101",
        "0001-01-01 00:00:00",
        "9999-12-31",
        "04/05/2016",
        "5/4/16",
        "2016-05-04 maybe",
        "2016-05-04, 2016-05-05",
        True,
        -1,
        1e300,
        float("inf"),
        "1" * 5_000,
        [2016],
        [2016, 5],
        [2016, 13, 1],
        [[[[["2016-05-04"]]]]],
        {"day": 4},
        {"$date": {"$date": {"$date": {"$date": "2016-05-04"}}}},
        {"year": 10**20, "time": 10**20},
    ],
)
def test_any_other_value_is_unreadable_and_is_not_repeated(sent):
    with pytest.raises(UnreadableDate) as raised:
        read_date(sent)

    assert str(raised.value) == "no date in a known shape"
