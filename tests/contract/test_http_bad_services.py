"""Services with something wrong in them: always a 400 that points at the field."""

from typing import Any

import httpx
import pytest

from tests.contract.bad_services import OF_EACH_TYPE, SERVICES, bad_services, right_service
from tests.support.asking import pointers, problem, question
from tests.support.town import DEBTOR, DEBTOR_NAME

pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.usefixtures("town")]

BAD = list(bad_services())


@pytest.mark.parametrize(
    ("pointer", "asked"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_a_field_that_is_wrong_is_pointed_at(
    institution: httpx.Client, pointer: str, asked: dict[str, Any]
) -> None:
    response = institution.post("/v1/checks", json=question(DEBTOR, asked, name=DEBTOR_NAME))
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


@pytest.mark.parametrize("kind", SERVICES)
def test_a_service_that_is_right_is_answered(institution: httpx.Client, kind: str) -> None:
    right = right_service(kind)
    required = {
        name: value
        for name, value in right.items()
        if name == "type" or not SERVICES[kind][name].optional
    }
    for asked in (right, required):
        response = institution.post("/v1/checks", json=question(DEBTOR, asked))
        assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "kind", ["", "unknown", "Rail", "rail ", None, True, 1, 1.5, 10**30, [], {}, "x" * 10_000]
)
def test_a_type_that_is_none_of_the_list_is_pointed_at(
    institution: httpx.Client, kind: Any
) -> None:
    asked = {**right_service("rail"), "type": kind}
    response = institution.post("/v1/checks", json=question(DEBTOR, asked))
    assert pointers(problem(response, 400, "invalid-request")) == ["/service/type"]


@pytest.mark.parametrize(
    ("seats", "pointer"),
    [
        ({"seat": "second", "seat_code": "O"}, "/service"),
        ({"seat_code": "X"}, "/service/seat_code"),
        ({"seat_code": 9}, "/service/seat_code"),
        ({"seat_code": None}, "/service/seat_code"),
    ],
)
def test_a_seat_code_that_is_wrong_is_pointed_at(
    institution: httpx.Client, seats: dict[str, Any], pointer: str
) -> None:
    asked = {"type": "rail", "train": "D1", **seats}
    response = institution.post("/v1/checks", json=question(DEBTOR, asked))
    assert pointers(problem(response, 400, "invalid-request")) == [pointer]


def test_a_service_without_a_type_is_pointed_at(institution: httpx.Client) -> None:
    response = institution.post("/v1/checks", json=question(DEBTOR, {"train": "G79"}))
    assert pointers(problem(response, 400, "invalid-request")) == ["/service/type"]


def test_a_field_of_another_service_is_pointed_at(institution: httpx.Client) -> None:
    asked = {**right_service("rail"), "amount_fen": 1}
    response = institution.post("/v1/checks", json=question(DEBTOR, asked))
    assert pointers(problem(response, 400, "invalid-request")) == ["/service/amount_fen"]


@pytest.mark.parametrize("value", [value for kind in OF_EACH_TYPE for value in OF_EACH_TYPE[kind]])
def test_a_service_of_another_type_of_json_is_pointed_at(
    institution: httpx.Client, value: Any
) -> None:
    request = question(DEBTOR, right_service("rail")) | {"service": value}
    response = institution.post("/v1/checks", json=request)
    [pointer] = pointers(problem(response, 400, "invalid-request"))
    assert pointer in {"/service", "/service/type", "/service/train"}


def test_the_document_of_the_api_names_the_same_services_and_fields(anyone: httpx.Client) -> None:
    schemas = anyone.get("/openapi.json").json()["components"]["schemas"]
    told = {
        schema["properties"]["type"]["enum"][0]: (
            set(schema["properties"]) - {"type"},
            set(schema["required"]) - {"type"},
        )
        for schema in schemas.values()
        if len(schema.get("properties", {}).get("type", {}).get("enum", ())) == 1
    }
    expected = {
        kind: (set(fields), {name for name, field in fields.items() if not field.optional})
        for kind, fields in SERVICES.items()
    }
    # Of seat and seat_code one is required, which the schema of a struct cannot say.
    expected["rail"] = ({"train", "seat", "seat_code"}, {"train"})
    assert told == expected
