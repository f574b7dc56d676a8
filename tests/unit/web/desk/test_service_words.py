"""A service is offered in words; the code of a slip is a drawing without a style of its own."""

import msgspec
import pytest

from checker.domain.service import Service, ServiceType
from checker.receipts.receipt import Receipt
from checker.web.desk.service_forms import service_of
from checker.web.desk.service_words import words_of_service
from checker.web.desk.slip import slip_of
from checker.web.language import Language, PageWords
from tests.unit.web.desk.test_service_forms import filled


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("service", ServiceType)
def test_every_service_has_words(service: ServiceType, language: Language) -> None:
    read = msgspec.convert(service_of(service, filled(service)), Service)
    words = PageWords(language)
    assert words_of_service(words, read).startswith(words(f"service.{service}"))


def test_a_hotel_without_stars_is_offered_as_such() -> None:
    read = msgspec.convert({"type": "lodging", "star_rating": 0}, Service)
    assert "未评星级" in words_of_service(PageWords(Language.ZH), read)


def test_the_code_of_a_slip_keeps_to_the_policy_of_the_pages() -> None:
    slip = slip_of(Receipt(jws="eyJ" + "a" * 700, opening="o" * 43))
    assert slip.code is not None
    assert "style" not in slip.code
    assert slip.code.startswith("<svg")
    assert len(slip.code) < 40_000


def test_a_receipt_that_is_too_long_for_a_code_is_printed_as_a_text() -> None:
    assert slip_of(Receipt(jws="e" * 4_000, opening="o" * 43)).code is None
