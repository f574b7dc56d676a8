"""Documents: one spelling, one key, and no number in any text about them."""

import io
from datetime import date

import msgspec
import pytest
from rich.console import Console

from checker.domain.document import Document, DocumentType, lookup_key, normalize
from checker.domain.errors import EXPLANATIONS, InvalidDocument, InvalidReason

TODAY = date(2026, 11, 23)
NUMBER = "440882189001011230"


def document(kind: DocumentType, number: str) -> Document:
    return normalize(Document(type=kind, number=number), TODAY)


@pytest.mark.parametrize(
    "spelling",
    [
        "４４０８８２１８９００１０１１２３０",
        " 440882 18900101 1230 ",
        "440882-18900101-1230",
        "440882–18900101—1230",
        "440882−18900101\u20111230",
        "440882\u300018900101\u200b1230\n",
        "\ufeff440882189001011230",
    ],
)
def test_width_spaces_and_hyphens_make_no_difference(spelling: str) -> None:
    assert document(DocumentType.RESIDENT_ID, spelling).number == NUMBER


@pytest.mark.parametrize("last", "xXｘＸ")
def test_a_check_digit_of_ten_is_accepted_in_any_case(last: str) -> None:
    assert document(DocumentType.RESIDENT_ID, "44088218900101110" + last).number.endswith("X")


def test_a_normalised_document_is_given_back_as_it_is() -> None:
    given = Document(type=DocumentType.RESIDENT_ID, number=NUMBER)
    assert normalize(given, TODAY) is given


def test_a_hyphen_in_an_organization_code_makes_no_difference() -> None:
    assert document(DocumentType.ORG_CODE, "60003734-1").number == "600037341"


def test_a_uscc_and_the_code_inside_it_find_each_other() -> None:
    whole = document(DocumentType.USCC, "91110000600037341L")
    code = document(DocumentType.ORG_CODE, "60003734-1")
    assert lookup_key(whole) == lookup_key(code) == ("organization", "600037341")


def test_a_residence_card_and_a_resident_id_share_one_range_of_numbers() -> None:
    card = document(DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "911124189001010029")
    resident = document(DocumentType.RESIDENT_ID, "911124189001010029")
    assert lookup_key(card) == lookup_key(resident)


def test_a_residence_card_of_the_older_form_has_a_kind_of_its_own() -> None:
    card = document(DocumentType.FOREIGN_PERMANENT_RESIDENT_ID, "CAN110085010112")
    assert lookup_key(card) == ("foreign_permanent_resident_id", "CAN110085010112")


def test_the_same_characters_on_other_documents_are_other_keys() -> None:
    keys = {
        lookup_key(document(kind, "12345678"))
        for kind in (
            DocumentType.PASSPORT,
            DocumentType.TAIWAN_PERMIT,
            DocumentType.EXIT_ENTRY_PERMIT,
        )
    }
    assert len(keys) == 3


@pytest.mark.parametrize("kind", DocumentType)
def test_no_kind_of_key_holds_a_colon(kind: DocumentType) -> None:
    assert ":" not in lookup_key(Document(type=kind, number="123456789012345678"))[0]


@pytest.mark.parametrize("number", ["", "1" * 65])
def test_a_number_is_one_to_64_characters_long(number: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.number"):
        msgspec.convert({"type": "passport", "number": number}, Document)


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="nmber"):
        msgspec.convert({"type": "passport", "number": "E12345678", "nmber": "1"}, Document)


def test_no_representation_holds_the_number() -> None:
    out = io.StringIO()
    given = Document(type=DocumentType.RESIDENT_ID, number=NUMBER)
    Console(file=out).print(given)
    for text in (repr(given), str(given), out.getvalue()):
        assert "resident_id" in text
        assert NUMBER not in text


def test_every_reason_has_an_explanation() -> None:
    assert set(EXPLANATIONS) == set(InvalidReason)


def test_a_refusal_names_field_and_reason() -> None:
    with pytest.raises(InvalidDocument, match="check digit") as caught:
        document(DocumentType.RESIDENT_ID, "440882189001011231")
    assert caught.value.field == "number"
    assert caught.value.reason is InvalidReason.CHECK_DIGIT
