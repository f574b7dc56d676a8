"""Forms about accounts become the bodies of the API, and name the field that is wrong."""

import msgspec
import pytest

from checker.accounts.keys import AccountRole
from checker.domain.service import ServiceType
from checker.errors import InvalidRequest
from checker.web.console.account_forms import (
    changed_account_of,
    new_account_of,
    new_key_of,
    rotation_of,
)


def test_an_account_has_the_ticked_services_and_a_network_a_line():
    made = new_account_of(
        {
            "name": "hotel",
            "role": "institution",
            "service.rail": "1",
            "items_per_minute": "1,200",
            "networks": "192.0.2.0/24\r\n 198.51.100.0/24 \r\n",
        }
    )
    assert made.role is AccountRole.INSTITUTION
    assert made.services == (ServiceType.RAIL,)
    assert made.networks == ("192.0.2.0/24", "198.51.100.0/24")
    assert (made.items_per_minute, made.items_per_day, made.courts) == (1_200, 0, None)


def test_an_account_without_ticks_may_ask_about_all_services():
    assert new_account_of({"name": "hotel", "role": "institution"}).services is None


def test_a_change_takes_a_bound_away_only_where_the_page_showed_one():
    changed = changed_account_of({"name": "hotel", "has.networks": "1"})
    assert changed.networks is None
    assert changed.services is msgspec.UNSET
    assert changed.courts is msgspec.UNSET


def test_a_key_ends_with_a_day_of_shanghai():
    made = new_key_of({"expires_on": "2027-12-31"})
    assert made.expires_at is not None
    assert made.expires_at.isoformat() == "2027-12-31T15:59:59+00:00"


def test_a_rotation_takes_hours_or_the_usual_day():
    assert rotation_of({}).overlap_seconds == 86_400
    assert rotation_of({"overlap_hours": "2"}).overlap_seconds == 7_200


@pytest.mark.parametrize(
    ("read", "form", "field"),
    [
        (new_account_of, {"role": "institution"}, "/name"),
        (new_account_of, {"name": "hotel", "role": "king"}, "/role"),
        (
            new_account_of,
            {"name": "hotel", "role": "court", "items_per_day": "x"},
            "/items_per_day",
        ),
        (new_key_of, {"expires_on": "tomorrow"}, "/expires_on"),
        (rotation_of, {"overlap_hours": "-1"}, "/overlap_hours"),
    ],
)
def test_a_field_that_is_not_as_it_must_be_is_named(read, form, field):
    with pytest.raises(InvalidRequest) as caught:
        read(form)
    assert [each.pointer for each in caught.value.faults] == [field]
