"""The Data Factory's files as its studio reads them, and what they refer to."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FACTORY = Path(__file__).parents[2] / "definitions" / "data_factory"
FOLDERS = {
    "Pipeline": "pipeline",
    "Dataset": "dataset",
    "DataFlow": "dataflow",
    "LinkedService": "linkedService",
    "Trigger": "trigger",
    "Factory": "factory",
}


@dataclass(frozen=True)
class Activity:
    """One activity: `inner` are those in it, `earlier` the names of all that have ended before it begins."""

    body: dict[str, Any]
    earlier: frozenset[str]
    inner: tuple["Activity", ...]

    @property
    def name(self) -> str:
        return self.body["name"]

    @property
    def own(self) -> dict[str, Any]:
        """Give its properties without the activities in it."""
        properties = {name: value for name, value in self.body["typeProperties"].items() if name not in _INNER}
        return self.body | {"typeProperties": properties}


_INNER = ("activities", "ifTrueActivities", "ifFalseActivities")


def paths() -> list[str]:
    return sorted(str(path.relative_to(FACTORY)) for path in FACTORY.rglob("*") if path.is_file())


@cache
def document(folder: str, name: str) -> dict[str, Any]:
    return json.loads((FACTORY / folder / f"{name}.json").read_bytes())


def properties(folder: str, name: str) -> dict[str, Any]:
    return document(folder, name)["properties"]


def names(folder: str) -> list[str]:
    return sorted(path.stem for path in (FACTORY / folder).glob("*.json"))


def walk(value: Any) -> Iterator[Any]:
    """Give a JSON value and all that it holds."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from walk(item)


def references(value: Any) -> Iterator[dict[str, Any]]:
    """Give each `{"referenceName", "type"}` with the parameters it passes."""
    for found in walk(value):
        if isinstance(found, dict) and "pipelineReference" in found:
            yield found["pipelineReference"] | {"parameters": found["parameters"]}
        elif isinstance(found, dict) and "referenceName" in found and found["type"] != "PipelineReference":
            yield found


def expressions(value: Any) -> Iterator[str]:
    """Give each text that holds an expression."""
    for found in walk(value):
        if isinstance(found, str) and (found.startswith("@") or "@{" in found):
            yield found


def activities(pipeline: str) -> list[Activity]:
    """Give the activities of a pipeline, those in others too."""
    return list(_flat(_tree(properties("pipeline", pipeline)["activities"], frozenset())))


def activity(pipeline: str, name: str) -> Activity:
    return next(one for one in activities(pipeline) if one.name == name)


def outputs_named(text: str) -> list[tuple[str, str]]:
    """Give what expressions read of activities: `("OpenWindow", "windows[0].id")`."""
    return re.findall(r"activity\('([^']+)'\)\.output\.?([\w.\[\]]*)", text)


def looked_up(value: Any, path: str) -> Any:
    """Follow `windows[0].id`; KeyError, IndexError or TypeError where there is nothing."""
    for step in re.findall(r"\w+", path):
        value = value[int(step) if step.isdigit() else step]
    return value


def rendered(text: str, values: dict[str, str]) -> str:
    """Put values in place of the `@{…}` of a text; KeyError for one that is not given."""
    return re.sub(r"@\{([^}]*)\}", lambda match: values[match.group(1)], text)


def _tree(listed: list[dict[str, Any]], outer: frozenset[str]) -> tuple[Activity, ...]:
    needs = {body["name"]: {one["activity"] for one in body["dependsOn"]} for body in listed}
    return tuple(_made(body, outer | _upstream(body["name"], needs)) for body in listed)


def _made(body: dict[str, Any], earlier: frozenset[str]) -> Activity:
    inner = [_tree(body["typeProperties"].get(kind, []), earlier) for kind in _INNER]
    return Activity(body, earlier, tuple(one for block in inner for one in block))


def _upstream(name: str, needs: dict[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = set(needs[name])
    while waiting:
        one = waiting.pop()
        assert one in needs, f"{name} depends on {one}, which is not beside it"
        assert one != name, f"{name} waits for itself"
        found.add(one)
        waiting |= needs[one] - found
    return frozenset(found)


def _flat(tree: tuple[Activity, ...]) -> Iterator[Activity]:
    for one in tree:
        yield one
        yield from _flat(one.inner)
