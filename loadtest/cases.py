"""Court cases: courts, case numbers and days, from a seed.

Knows when a listing begins and ends against a given day. Does not know the listed persons.
"""

from datetime import date, timedelta
from enum import StrEnum
from random import Random

import msgspec

from loadtest.draw import below, pick

OLD_STYLE_UNTIL = 2016
"""Cases filed before 2016 have numbers in the old style (法〔2015〕137号)."""

PUBLISHED_WITHIN_DAYS = 12 * 365
YET_TO_BE_PUBLISHED_WITHIN_DAYS = 60
RUNS_FOR_DAYS_MAX = 730
"""Two years, the usual length of a listing (法释〔2017〕7号, section 2)."""


class Term(StrEnum):
    """The state of a listing on the population's day."""

    IN_FORCE = "in_force"
    EXPIRED = "expired"
    UNPUBLISHED = "unpublished"


class Court(msgspec.Struct, frozen=True, kw_only=True):
    """A basic court, its province, and its short names in case numbers since 2016 and before."""

    name: str
    area: str
    code: str
    old_code: str


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One enforcement case; its listing covers `[published_on, expires_on)`."""

    number: str
    court: Court
    filed_on: date
    published_on: date
    expires_on: date | None


COURTS = tuple(
    Court(name=f"{place}人民法院", area=area, code=code, old_code=old_code)
    for place, area, code, old_code in (
        ("雷州市", "广东", "粤0882", "湛雷"),
        ("湛江市赤坎区", "广东", "粤0802", "湛赤"),
        ("湛江市霞山区", "广东", "粤0803", "湛霞"),
        ("遂溪县", "广东", "粤0823", "湛遂"),
        ("徐闻县", "广东", "粤0825", "湛徐"),
        ("廉江市", "广东", "粤0881", "湛廉"),
        ("广州市天河区", "广东", "粤0106", "穗天"),
        ("深圳市福田区", "广东", "粤0304", "深福"),
        ("北京市朝阳区", "北京", "京0105", "朝"),
        ("上海市浦东新区", "上海", "沪0115", "浦"),
        ("重庆市渝北区", "重庆", "渝0112", "渝北"),
        ("杭州市西湖区", "浙江", "浙0106", "杭西"),
        ("南京市鼓楼区", "江苏", "苏0106", "鼓"),
        ("武汉市武昌区", "湖北", "鄂0106", "鄂武昌"),
        ("长沙市岳麓区", "湖南", "湘0104", "岳"),
        ("郑州市金水区", "河南", "豫0105", "金"),
        ("济南市历下区", "山东", "鲁0102", "历"),
        ("成都市武侯区", "四川", "川0107", "武侯"),
        ("昆明市五华区", "云南", "云0102", "五"),
        ("西安市雁塔区", "陕西", "陕0113", "雁"),
        ("合肥市蜀山区", "安徽", "皖0104", "蜀"),
        ("福州市鼓楼区", "福建", "闽0102", "鼓"),
        ("沈阳市和平区", "辽宁", "辽0102", "沈和"),
        ("哈尔滨市南岗区", "黑龙江", "黑0103", "南"),
    )
)


def open_case(serial: int, term: Term, today: date, rng: Random) -> Case:
    """Return a case whose listing has the state `term` on `today`; a serial gives a number."""
    court = pick(rng, COURTS)
    published_on, expires_on = _days(term, today, rng)
    filed_on = min(published_on, today) - timedelta(days=30 + below(rng, 370))
    if filed_on.year < OLD_STYLE_UNTIL:
        number = f"（{filed_on.year}）{court.old_code}法执字第{serial:05}号"
    else:
        number = f"（{filed_on.year}）{court.code}执{serial}号"
    return Case(
        number=number,
        court=court,
        filed_on=filed_on,
        published_on=published_on,
        expires_on=expires_on,
    )


def _days(term: Term, today: date, rng: Random) -> tuple[date, date | None]:
    """Return the first day of a listing and the day of its end; None: it runs until delisted."""
    if term is Term.UNPUBLISHED:
        ahead = 1 + below(rng, YET_TO_BE_PUBLISHED_WITHIN_DAYS)
        return today + timedelta(days=ahead), None
    if term is Term.EXPIRED:
        published_on = today - timedelta(days=1 + below(rng, PUBLISHED_WITHIN_DAYS))
        ran = (today - published_on).days
        return published_on, published_on + timedelta(days=1 + below(rng, ran))
    published_on = today - timedelta(days=below(rng, PUBLISHED_WITHIN_DAYS))
    if rng.random() < 0.3:
        return published_on, today + timedelta(days=1 + below(rng, RUNS_FOR_DAYS_MAX))
    return published_on, None
