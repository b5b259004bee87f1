"""Numbers of a table's definition that a target of the bundle may set otherwise, such as thresholds."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lakehouse.request import InvalidParameter


@dataclass(frozen=True, slots=True)
class Option:
    """A whole number that a table's `build` takes by this name.

    above: the name of another option, listed before, than which it must be greater; empty for none.
    """

    name: str
    default: int
    least: int
    greatest: int
    meaning: str
    above: str = ""


def parse_options(text: str, known: Iterable[Option]) -> dict[str, int]:
    """Read the JSON object of the options that are not to be as by default, and give all; raises InvalidParameter."""
    options = {one.name: one for one in known}
    given = _parse_object(text)
    if unknown := sorted(set(given) - set(options)):
        raise InvalidParameter(f"options: there is no option {unknown[0]!r}; there are {', '.join(sorted(options))}.")
    values = {name: given.get(name, one.default) for name, one in options.items()}
    for name, one in options.items():
        _refuse_unfit(one, values[name], values)
    return values


def _parse_object(text: str) -> Mapping[str, int]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"options: {text[:80]!r} is no JSON: {error}.") from error
    if not isinstance(given, dict):
        raise InvalidParameter('options: expected a JSON object of numbers, such as {"nps_promoter_from": 7}.')
    return given


def _refuse_unfit(option: Option, value: object, values: Mapping[str, int]) -> None:
    if type(value) is not int or not option.least <= value <= option.greatest:
        between = f"{option.least} to {option.greatest}"
        raise InvalidParameter(f"options: {option.name} is {value!r}; expected a whole number from {between}.")
    if option.above and value <= values[option.above]:
        other = f"{option.above}, which is {values[option.above]}"
        raise InvalidParameter(f"options: {option.name} is {value}; it must be greater than {other}.")
