"""The form of each service has an input for each field, and a filled form is a service."""

import msgspec
import pytest

from checker.domain.service import Service, ServiceType
from checker.web.desk.service_forms import FieldKind, fields_of, service_of

EXAMPLES: dict[str, str] = {
    "train": "G79",
    "flight": "CZ3101",
    "cabin": "Y",
    "amount_fen": "12,000",
    "annual_fee_fen": "6000000",
    "annual_premium_fen": "100",
}


def filled(service: ServiceType) -> dict[str, str]:
    form = {}
    for field in fields_of(service):
        match field.kind:
            case FieldKind.CHOICE:
                form[field.name] = field.choices[0]
            case FieldKind.YES | FieldKind.YES_OR_NO:
                form[field.name] = "true"
            case _:
                form[field.name] = EXAMPLES[field.name]
    return form


@pytest.mark.parametrize("service", ServiceType)
def test_a_form_whose_inputs_are_all_filled_is_that_service(service: ServiceType) -> None:
    sent = service_of(service, filled(service))
    read = msgspec.convert(sent, Service)
    assert {name for name in sent if name != "type"} == {each.name for each in fields_of(service)}
    assert msgspec.to_builtins(read)["type"] == service


@pytest.mark.parametrize("service", ServiceType)
def test_a_required_input_that_is_left_out_is_not_invented(service: ServiceType) -> None:
    sent = service_of(service, {})
    assert sent == {"type": service}


def test_a_question_that_decides_is_answered_by_yes_or_no_and_never_by_silence() -> None:
    kinds = {field.name: field.kind for field in fields_of(ServiceType.INSURANCE)}
    assert kinds["cash_value"] is FieldKind.YES_OR_NO
    assert service_of(ServiceType.INSURANCE, {"cash_value": "false"})["cash_value"] is False


@pytest.mark.parametrize("text", ["12.5", "-1", "1e5", "9" * 30, "true"])
def test_a_sum_that_is_no_whole_number_stays_a_text_for_the_check_to_refuse(text: str) -> None:
    sent = service_of(ServiceType.PRIVATE_SCHOOL, {"annual_fee_fen": text})
    assert sent["annual_fee_fen"] == text
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(sent, Service)
