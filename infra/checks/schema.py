"""The schema of a Terraform provider, from the bindings of it that npm has: what its GetProviderSchema answers.

`@cdktn/provider-azurerm` is generated from the schema of the provider and holds it in its `.jsii` assembly, as types of
TypeScript. What the assembly does not say: whether many blocks are a list or a set (a list here, so an index into a set
is not found), whether an optional argument is computed too (not here, but `id`), which values a text may have, and
which results are sensitive (none here). As a program: `python -m infra.checks.schema <.jsii> <file of the schema>`.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from infra.checks import wire

_META: Final = {"alias", "timeouts"}
_ANCHOR: Final = re.compile(r"docs(?:/[a-z-]+/\w+)?#(\w+) ")
_SINGLE, _LIST = 1, 2


def schema_of(assembly: Mapping[str, Any]) -> bytes:
    """Give the message GetProviderSchema.Response of Terraform's plugin protocol 6.

    Raises KeyError where the assembly is none of a provider's bindings.
    """
    types = assembly["types"]
    bindings = _Bindings(types)
    provider = next(each for each in types.values() if each.get("base") == "cdktn.TerraformProvider")
    message = wire.message(1, wire.message(2, bindings.block(types[f"{provider['fqn']}Config"], None)))
    for base, number in (("cdktn.TerraformResource", 2), ("cdktn.TerraformDataSource", 3)):
        for each in [each for each in types.values() if each.get("base") == base]:
            schema = wire.message(2, bindings.block(types[f"{each['fqn']}Config"], each))
            message += wire.message(number, wire.text(1, _terraform_name(each)) + wire.message(2, schema))
    return message + wire.message(6, wire.number(2, 1))  # a caller may keep the schema


class _Bindings:
    """The types of an assembly, as blocks and attributes of Terraform."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self._types = types

    def block(self, arguments: Mapping[str, Any] | None, results: Mapping[str, Any] | None) -> bytes:
        """Give a block: its arguments are the properties of one type, what it computes those of another."""
        written = [each for each in _properties(arguments) if each["name"] not in _META]
        message = b"".join(map(self._argument, written))
        message += b"".join(
            map(self._timeouts, [each for each in _properties(arguments) if each["name"] == "timeouts"])
        )
        known = {each["name"] for each in written}
        return message + b"".join(self._result(each) for each in _computed(results) if each["name"] not in known)

    def _argument(self, given: Mapping[str, Any]) -> bytes:
        name, kind = _name(given), given["type"]
        if (inner := self._inner(kind)) and f"{name} block." in given["docs"].get("summary", ""):
            one = "fqn" in kind
            body = self.block(inner, self._types.get(f"{inner['fqn']}OutputReference"))
            items = wire.number(4, not given.get("optional")) + wire.number(5, one)
            return wire.message(3, wire.text(1, name) + wire.message(2, body) + wire.number(3, _LIST) + items)
        optional = bool(given.get("optional"))
        needed = wire.number(4, not optional) + wire.number(5, optional) + wire.number(6, optional and name == "id")
        return wire.message(2, _attribute(name, self._type(kind)) + needed)

    def _timeouts(self, given: Mapping[str, Any]) -> bytes:
        body = self.block(self._inner(given["type"]), None)
        return wire.message(3, wire.text(1, "timeouts") + wire.message(2, body) + wire.number(3, _SINGLE))

    def _result(self, given: Mapping[str, Any]) -> bytes:
        return wire.message(2, _attribute(_snake(given["name"]), self._type(given["type"])) + wire.number(6, 1))

    def _inner(self, kind: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Give the type of what is nested, were it one or many."""
        names = [each["fqn"] for each in _walk(kind) if "fqn" in each]
        return next((self._types[each] for each in names if each in self._types), None)

    def _type(self, kind: Mapping[str, Any]) -> Any:  # noqa: ANN401 - Terraform writes types as JSON
        """Give the type of a value as Terraform writes it."""
        if "union" in kind:
            return self._type(next(each for each in kind["union"]["types"] if each.get("fqn") != "cdktn.IResolvable"))
        if "collection" in kind:
            outer = "map" if kind["collection"]["kind"] == "map" else "list"
            return [outer, self._type(kind["collection"]["elementtype"])]
        if "primitive" in kind:
            return {"boolean": "bool"}.get(kind["primitive"], kind["primitive"])
        return self._named_type(kind["fqn"])

    def _named_type(self, name: str) -> Any:  # noqa: ANN401 - Terraform writes types as JSON
        if name not in self._types:
            return {"cdktn.IResolvable": "bool", "cdktn.StringMap": ["map", "string"]}[name]
        if self._types[name].get("base") == "cdktn.ComplexList":
            return ["list", self._named_type(f"{name.removesuffix('List')}OutputReference")]
        fields = {_snake(each["name"]): self._type(each["type"]) for each in _results(self._types[name])}
        return ["object", fields]


def _properties(of: Mapping[str, Any] | None) -> Iterable[Mapping[str, Any]]:
    return [] if of is None else of.get("properties", [])


def _attribute(name: str, kind: Any) -> bytes:  # noqa: ANN401 - Terraform writes types as JSON
    return wire.text(1, name) + wire.text(2, json.dumps(kind))


def _computed(of: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Give what can only be read: what can be set has a twin, `<name>Input`."""
    names = {each["name"] for each in _properties(of)}
    return [each for each in _results(of) if f"{each['name']}Input" not in names]


def _results(of: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    inside = {"internalValue", "tfResourceType", "timeouts"}
    listed = [each for each in _properties(of) if each["name"] not in inside and not each.get("static")]
    return [each for each in listed if not each["name"].endswith("Input")]


def _walk(kind: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    yield kind
    for each in kind.get("union", {}).get("types", []):
        yield from _walk(each)
    if "collection" in kind:
        yield from _walk(kind["collection"]["elementtype"])


def _name(given: Mapping[str, Any]) -> str:
    """Give an argument's name as its documentation's address has it: camel case has lost where digits stood."""
    found = _ANCHOR.search(given["docs"].get("remarks", "") + given["docs"].get("summary", ""))
    return found[1] if found else _snake(given["name"])


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _terraform_name(of: Mapping[str, Any]) -> str:
    return re.search(r" (azurerm_\w+)\}", of["docs"]["summary"])[1]  # type: ignore[index] # each one's summary has it


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(schema_of(json.loads(Path(sys.argv[1]).read_bytes())))
