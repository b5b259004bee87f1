"""Reads a stream's contracts: the one place that a record's columns, types, key and rules come from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from lakehouse.contract_files import ContractFile, contract_files

_COLUMN = re.compile(r"[A-Za-z]\w*", re.ASCII)
_DURATION = re.compile(
    r"P(?=.)(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,6})M)?(?:(?P<seconds>[0-9]{1,6})S)?)?"
)
_TYPES = {"string", "number", "integer", "boolean"}
_ANNOTATIONS = {"description", "title", "$comment", "default", "examples"}
_LIMITS = {"minLength", "maxLength"}
_RULES = {
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "pattern",
    *_LIMITS,
}
_CLEAN = "x-clean"
_RULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HELD_AS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "date-time": (),
}
CLEANED = "cleaned"
"""The column that silver adds for a contract with cleaning rules: the names of those that met the row."""

LINEAGE = ("window_id", "slice", "attempt", "epoch", "partition", "sequence_number", "index", "hub")
"""The columns that silver adds to a contract's own: where a record came from."""


class ContractError(ValueError):
    """A contract that can't be turned into columns and rules; says which property and why."""


@dataclass(frozen=True, slots=True)
class CleaningRule:
    """Values of a property that silver does not hand on as they are; a text is compared without spaces around it.

    becomes: what silver has instead, where it `replaces` them; else the row is only marked with the rule's name.
    """

    name: str
    values: tuple[Any, ...]
    replaces: bool = False
    becomes: Any = None


@dataclass(frozen=True, slots=True)
class Field:
    """One property of a record.

    kind: `string`, `number`, `integer`, `boolean` or `date-time`. rules: the JSON Schema keywords that limit its value.
    cleaning: rules that no two of meet one value.
    """

    name: str
    kind: str
    required: bool
    nullable: bool
    rules: Mapping[str, Any] = field(hash=False)
    description: str = ""
    cleaning: tuple[CleaningRule, ...] = ()

    @property
    def longest(self) -> int | None:
        """Give the greatest number of characters of a string; None where nothing bounds it."""
        if "enum" in self.rules and self.kind == "string":
            return max(len(one) for one in self.rules["enum"])
        limit: int | None = self.rules.get("maxLength")
        return limit


@dataclass(frozen=True, slots=True)
class Contract:
    """The shape of one stream's records.

    closed: no property beside these is allowed. key: the columns that identify a record. partition_key: the column by
    which events and items are partitioned. event_time: the column of the record's own time, empty for none. dedupe: two
    records of one key are never further apart in event time. last_wins: of the records of one key the last one holds
    it, by the number of its event; else the first one does.
    """

    stream: str
    version: int
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    closed: bool
    event_time: str = ""
    dedupe: timedelta | None = None
    description: str = ""
    partition_key: str = ""
    last_wins: bool = False

    @property
    def name(self) -> str:
        """Name the contract as events do: `trades/1`."""
        return f"{self.stream}/{self.version}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Give the names of its properties, in the contract's order."""
        return tuple(one.name for one in self.fields)

    @property
    def cleaning(self) -> tuple[tuple[Field, CleaningRule], ...]:
        """Give all cleaning rules with the properties that they are of, in the contract's order."""
        return tuple((one, rule) for one in self.fields for rule in one.cleaning)

    @property
    def silver_columns(self) -> tuple[str, ...]:
        """Give the names of silver's columns."""
        return (*self.columns, *([CLEANED] if self.cleaning else []), *LINEAGE)


def load_contract(name: str) -> Contract:
    """Read the record contract `<stream>/<version>` that the wheel carries; raises ContractError where it has none."""
    there = {f"{one.name}/{one.version}": one for one in contract_files()}
    if name not in there:
        raise ContractError(f"No contract {name!r} is in the wheel; there are {', '.join(sorted(there))}.")
    return _parse(there[name])


def load_contracts(stream: str) -> tuple[Contract, ...]:
    """Read all versions of a stream's contract that the wheel carries, the oldest first; raises ContractError."""
    found = [_parse(one) for one in contract_files() if one.name == stream]
    if not found:
        raise ContractError(f"No contract of stream {stream!r} is in the wheel.")
    return tuple(sorted(found, key=lambda contract: contract.version))


def _parse(file: ContractFile) -> Contract:
    return parse_contract(file.name, file.version, file.read())


def parse_contract(stream: str, version: int, document: Mapping[str, Any]) -> Contract:
    """Read a JSON Schema of flat records; raises ContractError for what can't become columns and rules."""
    required = set(document.get("required", ()))
    fields = tuple(_field(name, schema, name in required) for name, schema in document["properties"].items())
    contract = Contract(
        stream=stream,
        version=version,
        key=tuple(document.get("x-key", ())),
        fields=fields,
        closed=document.get("additionalProperties") is False,
        event_time=document.get("x-event-time", ""),
        dedupe=_dedupe(f"{stream}/{version}", document.get("x-dedupe")),
        description=document.get("description", ""),
        partition_key=document.get("x-partition-key", ""),
        last_wins=document.get("x-last-wins") is True,
    )
    _refuse(contract)
    return contract


def _dedupe(contract: str, text: object) -> timedelta | None:
    if text is None:
        return None
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ContractError(
            f"{contract}: x-dedupe must be an ISO 8601 duration in days, hours, minutes and seconds, such as PT10M; "
            f"it is {text!r}."
        )
    return timedelta(**{unit: int(number) for unit, number in match.groupdict(default="0").items()})


def _field(name: str, schema: Mapping[str, Any], required: bool) -> Field:
    types = schema.get("type")
    types = [types] if isinstance(types, str) else list(types or ())
    named = [kind for kind in types if kind != "null"]
    if len(named) != 1 or named[0] not in _TYPES:
        raise ContractError(f"{name}: type {schema.get('type')!r} can't become a column; use one of {sorted(_TYPES)}.")
    unknown = set(schema) - _RULES - _ANNOTATIONS - {"type", "format", _CLEAN}
    if unknown:
        raise ContractError(f"{name}: {sorted(unknown)} can't be checked here; the rules are {sorted(_RULES)}.")
    rules = {rule: value for rule, value in schema.items() if rule in _RULES}
    _refuse_limits(name, rules)
    kind = _kind(name, named[0], schema.get("format"))
    field = Field(name, kind, required, "null" in types, rules, schema.get("description", ""))
    return replace(field, cleaning=_cleaning(field, schema.get(_CLEAN, ())))


def _cleaning(of: Field, given: Any) -> tuple[CleaningRule, ...]:  # noqa: ANN401 - JSON
    rules = tuple(_cleaning_rule(of, one) for one in given)
    met = [(type(value), value) for rule in rules for value in rule.values]
    if len(met) > len(set(met)):
        raise ContractError(f"{of.name}: two values of {_CLEAN} are the same; each may be met by one rule alone.")
    return rules


def _cleaning_rule(of: Field, given: Any) -> CleaningRule:  # noqa: ANN401 - JSON
    """Read `{"rule": name, "values": […], "becomes": value}`; without `becomes` the values stay as they are."""
    if not isinstance(given, dict) or not {"rule", "values"} <= set(given) <= {"rule", "values", "becomes"}:
        raise ContractError(f"{of.name}: a rule of {_CLEAN} has rule, values and maybe becomes, and nothing else.")
    name, values = given["rule"], given["values"]
    if not isinstance(name, str) or not _RULE_NAME.fullmatch(name):
        raise ContractError(f"{of.name}: {name!r} can't name a rule of {_CLEAN}; use small letters, digits and _.")
    if not isinstance(values, list) or not values or not all(_holds(of.kind, one) for one in values):
        raise ContractError(f"{of.name}: rule {name} must list values that a {of.kind} can be compared with.")
    becomes = given.get("becomes")
    is_too_long = isinstance(becomes, str) and of.longest is not None and len(becomes) > of.longest
    if is_too_long or not (becomes is None or _holds(of.kind, becomes)):
        raise ContractError(f"{of.name}: rule {name} must make null or a {of.kind} that fits; it makes {becomes!r}.")
    return CleaningRule(name, tuple(values), "becomes" in given, becomes)


def _holds(kind: str, value: object) -> bool:
    return isinstance(value, _HELD_AS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _refuse_limits(name: str, rules: Mapping[str, Any]) -> None:
    for rule in sorted(_LIMITS & set(rules)):
        limit = rules[rule]
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
            raise ContractError(f"{name}: {rule} must be a whole number of characters from 0 on; it is {limit!r}.")


def _kind(name: str, kind: str, form: str | None) -> str:
    if form is None:
        return kind
    if (kind, form) != ("string", "date-time"):
        raise ContractError(
            f"{name}: format {form!r} of a {kind} can't be checked here; only date-time of a string can."
        )
    return form


def _refuse(contract: Contract) -> None:
    columns = set(contract.columns)
    _refuse_key(contract)
    _refuse_event_time(contract)
    _refuse_cleaning(contract)
    taken = sorted(columns & {*LINEAGE, CLEANED, "body", "reason", "rows"})
    if taken:
        raise ContractError(f"{contract.name}: silver's own columns are called {taken}; rename these properties.")
    unfit = sorted(name for name in columns if not _COLUMN.fullmatch(name))
    if unfit:
        raise ContractError(
            f"{contract.name}: {unfit} can't be column names; use letters, digits and inner underscores."
        )
    folded = {name.lower() for name in columns}
    if len(folded) < len(columns):
        raise ContractError(f"{contract.name}: Spark's columns know no case; two properties differ in case alone.")


def _refuse_key(contract: Contract) -> None:
    always_there = _always_there(contract.fields)
    if not contract.key or not set(contract.key) <= always_there:
        raise ContractError(
            f"{contract.name}: x-key must name required properties that are never null; it is {contract.key}."
        )


def _refuse_event_time(contract: Contract) -> None:
    times = _always_there([one for one in contract.fields if one.kind == "date-time"])
    if contract.event_time and contract.event_time not in times:
        raise ContractError(
            f"{contract.name}: x-event-time must name a required date-time property that is never null; "
            f"it is {contract.event_time!r}."
        )
    if contract.dedupe is not None and not contract.event_time:
        raise ContractError(f"{contract.name}: x-dedupe needs x-event-time, the time that it is measured in.")


def _refuse_cleaning(contract: Contract) -> None:
    """Keep rules from what rows are found and put in order by, and from having one name twice."""
    apart = {*contract.key, contract.event_time, "received_at"}
    unfit = sorted({one.name for one, _ in contract.cleaning} & apart)
    if unfit:
        raise ContractError(f"{contract.name}: {_CLEAN} can't stand at {unfit}: by these columns rows are found.")
    names = [rule.name for _, rule in contract.cleaning]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ContractError(f"{contract.name}: more than one rule of {_CLEAN} is called {twice}.")


def _always_there(fields: Sequence[Field]) -> set[str]:
    return {one.name for one in fields if one.required and not one.nullable}
