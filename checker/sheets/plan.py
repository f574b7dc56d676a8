"""Plans the reading of a sheet: the persons and the services that each row asks about.

Insurance and school fees are asked about the person who pays. A child or an insured person is never
checked, and a column that names nobody is not taken for the person who pays.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from checker.decoding import decode
from checker.domain.service import Service, ServiceType
from checker.sheets.columns import FoundColumns
from checker.sheets.header_words import SheetField, SheetPerson
from checker.sheets.headers import SheetColumn
from checker.sheets.refusals import SheetFault, refused

_encode = msgspec.json.Encoder().encode
_service_decoder = msgspec.json.Decoder(Service)


class SheetLayout(StrEnum):
    """The kinds of sheets; `auto` chooses by the columns."""

    AUTO = "auto"
    MANIFEST = "manifest"
    HOTEL = "hotel"
    INSURANCE = "insurance"
    SCHOOL = "school"


class LayoutRule(msgspec.Struct, frozen=True, kw_only=True):
    """The person that a layout checks, and the services of its columns."""

    person: SheetPerson
    services: tuple[ServiceType, ...]


LAYOUTS: Final[Mapping[SheetLayout, LayoutRule]] = {
    SheetLayout.INSURANCE: LayoutRule(person=SheetPerson.PAYER, services=(ServiceType.INSURANCE,)),
    SheetLayout.SCHOOL: LayoutRule(
        person=SheetPerson.PAYER, services=(ServiceType.PRIVATE_SCHOOL,)
    ),
    SheetLayout.MANIFEST: LayoutRule(
        person=SheetPerson.BUYER,
        services=(ServiceType.RAIL, ServiceType.AIR, ServiceType.LODGING),
    ),
    SheetLayout.HOTEL: LayoutRule(person=SheetPerson.BUYER, services=(ServiceType.LODGING,)),
}

_NEEDED: Final[Mapping[SheetPerson, str]] = {
    SheetPerson.BUYER: "no column has the number of the buyer, such as 证件号码",
    SheetPerson.PAYER: "no column has the number of the person who pays,"
    " such as 投保人证件号码 or 监护人身份证号",
}


class PlannedService(msgspec.Struct, frozen=True, kw_only=True):
    """A service that rows ask about: its columns, and the fields that every row shares."""

    type: ServiceType
    shared: Mapping[str, Any] = {}
    columns: tuple[SheetColumn, ...] = ()


class SheetPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The columns that decide, to be shown before anything is checked.

    `numbers` are one column or several, for the documents of the same person.
    """

    layout: SheetLayout
    found: FoundColumns
    numbers: tuple[SheetColumn, ...]
    name: SheetColumn | None
    document_type: SheetColumn | None
    issuer: SheetColumn | None
    services: tuple[PlannedService, ...]

    @property
    def columns(self) -> tuple[SheetColumn, ...]:
        """The columns that are read, in the order of the sheet."""
        alone = (self.name, self.document_type, self.issuer)
        read = {column.index for column in (*self.numbers, *alone) if column is not None}
        read |= {column.index for service in self.services for column in service.columns}
        return tuple(column for column in self.found.columns if column.index in read)

    @property
    def other_columns(self) -> tuple[SheetColumn, ...]:
        """The known columns that are not read."""
        return tuple(column for column in self.found.columns if column not in self.columns)


def plan_sheet(
    found: FoundColumns, layout: SheetLayout, service: Mapping[str, Any] | None
) -> SheetPlan:
    """Return the plan of a sheet. `service` is the service of all rows, as the API takes it.

    A column of a field of that service replaces the field in its row.

    Raises:
        InvalidRequest: a column that is needed is missing or stands twice, nothing names a service,
            or the service is no service of the API.
    """
    asked = None if service is None else _type_of(service)
    chosen = _chosen(found, asked) if layout is SheetLayout.AUTO else layout
    person = LAYOUTS[chosen].person
    persons = {person, None} if person is SheetPerson.BUYER else {person}
    mine = [each for each in found.columns if each.field is not None and each.person in persons]
    numbers = [column for column in mine if column.field is SheetField.NUMBER]
    if not numbers:
        raise refused(_NEEDED[person], fault=SheetFault.NO_PERSON)
    _refuse_twice([(column.kinds, column) for column in numbers])
    return SheetPlan(
        layout=chosen,
        found=found,
        numbers=tuple(numbers),
        name=_only(mine, SheetField.NAME),
        document_type=_only(mine, SheetField.DOCUMENT_TYPE),
        issuer=_only(mine, SheetField.ISSUER),
        services=_services(found, LAYOUTS[chosen], asked, service or {}),
    )


def _type_of(service: Mapping[str, Any]) -> ServiceType:
    kind = service.get("type")
    if not isinstance(kind, str) or kind not in set(ServiceType):
        text = f"the service types are {', '.join(ServiceType)}"
        raise refused(text, "/service/type", fault=SheetFault.SERVICE)
    return ServiceType(kind)


def _chosen(found: FoundColumns, asked: ServiceType | None) -> SheetLayout:
    kinds = {asked} if asked else {each.service.service for each in found.columns if each.service}
    by_payer = [
        layout
        for layout, rule in LAYOUTS.items()
        if rule.person is SheetPerson.PAYER and kinds & {*rule.services}
    ]
    if len(by_payer) > 1:
        text = "the columns are of an insurance and of a school: name the layout"
        raise refused(text, fault=SheetFault.TWO_LAYOUTS)
    if by_payer:
        return by_payer[0]
    return SheetLayout.HOTEL if kinds == {ServiceType.LODGING} else SheetLayout.MANIFEST


def _services(
    found: FoundColumns, rule: LayoutRule, asked: ServiceType | None, shared: Mapping[str, Any]
) -> tuple[PlannedService, ...]:
    kinds = rule.services if asked is None else (asked,)
    groups: dict[tuple[ServiceType, str], list[SheetColumn]] = {}
    for column in found.columns:
        if column.service is not None and column.service.service in kinds:
            groups.setdefault((column.service.service, column.leg), []).append(column)
    for columns in groups.values():
        _refuse_twice([(column.service, column) for column in columns])
    if not groups and asked is None:
        text = "no column names a service, such as 车次, 航班 or 星级: name the service"
        raise refused(text, fault=SheetFault.NO_SERVICE)
    if not groups and asked is not None:
        decode(_service_decoder, _encode(shared), under="/service")
        return (PlannedService(type=asked, shared=shared),)
    return tuple(
        PlannedService(type=kind, shared=shared, columns=tuple(columns))
        for (kind, _), columns in groups.items()
    )


def _only(columns: Sequence[SheetColumn], field: SheetField) -> SheetColumn | None:
    found = [(field, column) for column in columns if column.field is field]
    _refuse_twice(found)
    return found[0][1] if found else None


def _refuse_twice(columns: Sequence[tuple[object, SheetColumn]]) -> None:
    seen: dict[object, SheetColumn] = {}
    for meaning, column in columns:
        if meaning in seen:
            headers = (seen[meaning].header, column.header)
            text = f"two columns mean the same: {headers[0]} and {headers[1]}"
            raise refused(text, fault=SheetFault.TWICE, headers=headers)
        seen[meaning] = column
