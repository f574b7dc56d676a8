"""The schemas of the OpenAPI document, made fit for the generators of clients.

msgspec derives a schema from each struct. This module adds what JSON Schema leaves open and
generators ask for:

- A field of a request that has a default may be left out. The default stands in the description
  alone: generators for TypeScript make a field with `default` compulsory.
- A field of an answer that has a default is required, because msgspec writes the field always. A
  struct with `omit_defaults` leaves the field out instead.
- A text of a closed set has a type, and an integer that may not fit into 32 bits has a format.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.inspect import StructType, multi_type_info

_TEMPLATE: Final = "#/components/schemas/{name}"
_INT32_MAX: Final = 2**31 - 1

Schemas = Mapping[Any, dict[str, Any]]
"""The schema of each kind; the schema of a struct is a reference to its component."""


def described_schemas(
    sent: Sequence[Any], returned: Sequence[Any]
) -> tuple[Schemas, dict[str, Any]]:
    """Return the schemas of the kinds that requests and answers have, and the components."""
    kinds = list(dict.fromkeys([*sent, *returned]))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    by_kind = dict(zip(kinds, schemas, strict=True))
    names_sent = _reached([by_kind[kind] for kind in sent], components)
    omitting = set(_names_that_omit_defaults(multi_type_info(kinds)))
    for name, component in components.items():
        _complete(component)
        if name in names_sent:
            _describe_defaults(component)
        elif "properties" in component:
            _drop_defaults(component, is_written=name not in omitting)
    return by_kind, components


def _reached(schemas: Iterable[Any], components: Mapping[str, Any]) -> set[str]:
    """Return the names of all components to which these schemas lead."""
    names: set[str] = set()
    waiting = list(schemas)
    while waiting:
        for node in _nodes(waiting.pop()):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in names:
                names.add(name)
                waiting.append(components[name])
    return names


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object within a value of JSON, the value itself first."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from _nodes(inner)


def _names_that_omit_defaults(infos: Iterable[Any]) -> Iterator[str]:
    """Yield the names of the structs that leave out a field whose value is its default."""
    waiting, seen = list(infos), set()
    while waiting:
        info = waiting.pop()
        if isinstance(info, StructType):
            if info.cls in seen:
                continue
            seen.add(info.cls)
            if info.cls.__struct_config__.omit_defaults:
                yield info.cls.__name__
        for value in msgspec.structs.asdict(info).values():
            inner = value if isinstance(value, tuple) else (value,)
            waiting += [each for each in inner if isinstance(each, msgspec.Struct)]


def _complete(component: dict[str, Any]) -> None:
    for node in _nodes(component):
        if isinstance(node.get("enum"), list):
            node.setdefault("type", "string")
        if node.get("type") == "integer" and node.get("maximum", _INT32_MAX + 1) > _INT32_MAX:
            node["format"] = "int64"
        if isinstance(node.get("description"), str):
            node["description"] = inspect.cleandoc(node["description"])


def _describe_defaults(component: dict[str, Any]) -> None:
    for described in component.get("properties", {}).values():
        default = described.pop("default", None)
        if default is not None:
            text = f"If absent: `{msgspec.json.encode(default).decode()}`."
            described["description"] = text


def _drop_defaults(component: dict[str, Any], *, is_written: bool) -> None:
    for name, described in component["properties"].items():
        has_default = "default" in described
        described.pop("default", None)
        if has_default and is_written:
            component["required"].append(name)
