"""The courts of an account: their names as they are read and compared."""

import pytest

from checker.accounts.keys import AccountRole, Caller
from checker.accounts.scope import COURT_LENGTH_MAX, COURTS_MAX, AccountScope, read_courts
from checker.domain.court import Courts
from checker.errors import InvalidRequest


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (["雷州市人民法院"], ("雷州市人民法院",)),
        ([" 雷州市人民法院 ", "徐闻县人民法院"], ("雷州市人民法院", "徐闻县人民法院")),
        (["雷州市人民法院", "雷州市 人民法院"], ("雷州市人民法院",)),
        ([str(number) for number in range(COURTS_MAX)], tuple(map(str, range(COURTS_MAX)))),
    ],
)
def test_courts_are_read_in_their_order_and_once_each(
    sent: list[str], read: tuple[str, ...]
) -> None:
    assert read_courts(sent) == read


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ([], "/courts"),
        ([""], "/courts/0"),
        (["雷州市人民法院", " \u3000"], "/courts/1"),
        (["-"], "/courts/0"),
        (["雷州市\n人民法院"], "/courts/0"),
        (["法" * (COURT_LENGTH_MAX + 1)], "/courts/0"),
        ([str(number) for number in range(COURTS_MAX + 1)], "/courts"),
    ],
)
def test_a_text_that_is_no_name_of_a_court_is_refused_with_its_place(
    sent: list[str], pointer: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_courts(sent)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("雷州市人民法院", True),
        ("雷州市 人民法院", True),
        ("雷州市人民法院\u3000", True),
        ("（2016）法院", True),
        ("(２０１６)法院", True),
        ("雷州市人民", False),
        ("", False),
    ],
)
def test_names_of_courts_are_compared_without_width_and_spaces(name: str, *, holds: bool) -> None:
    assert Courts(["雷州市人民法院", "（2016）法院"]).holds(name) is holds


def test_a_caller_without_courts_speaks_for_the_whole_list() -> None:
    def caller(courts: tuple[str, ...] | None) -> Caller:
        scope = AccountScope(courts=courts)
        role = AccountRole.COURT
        return Caller(
            key_pk=1,
            account_id="1",
            name="1",
            role=role,
            services=None,
            jurisdiction=None,
            account_scope=scope,
        )

    assert caller(None).courts is None
    bound = caller(("雷州市人民法院",)).courts
    assert bound is not None
    assert bound.holds("雷州市人民法院")
