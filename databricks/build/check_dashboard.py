"""Check the file of a dashboard by what it says itself: what a widget names is there, and nothing lies on another."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

type Document = Mapping[str, Any]

VERSIONS = {"counter": 2, "table": 2, "bar": 3, "line": 3}
"""The version of its specification that each kind of widget needs: Databricks shows none of another."""


def problems_of_dashboard(path: Path) -> list[str]:
    """List what is wrong with a `.lvdash.json`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return [f"it is no JSON: {error}"]
    datasets = {dataset["name"] for dataset in document["datasets"]}
    found = [problem for widget in widgets(document) for problem in _problems_of_widget(widget, datasets)]
    found += [problem for page in document["pages"] for problem in _overlaps(page)]
    named = Counter([*(widget["name"] for widget in widgets(document)), *datasets])
    found += [f"the name {name} is there {count} times" for name, count in named.items() if count > 1]
    used = {query["query"]["datasetName"] for widget in widgets(document) for query in widget.get("queries", [])}
    return found + [f"no widget shows the dataset {name}" for name in sorted(datasets - used)]


def widgets(document: Document) -> list[Document]:
    """List all widgets of all pages."""
    return [placed["widget"] for page in document["pages"] for placed in page["layout"]]


def query_of(dataset: Document) -> str:
    """Give the query of a dataset: its lines are joined as they are."""
    return "".join(dataset["queryLines"])


def fields_named(encodings: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Give each field that a widget's encodings name."""
    if isinstance(encodings, Mapping):
        if "fieldName" in encodings:
            yield encodings["fieldName"]
        for value in encodings.values():
            yield from fields_named(value)
    elif isinstance(encodings, list):
        for value in encodings:
            yield from fields_named(value)


def _problems_of_widget(widget: Document, datasets: set[str]) -> Iterator[str]:
    name, queries = widget["name"], [query["query"] for query in widget.get("queries", [])]
    for query in queries:
        if query["datasetName"] not in datasets:
            yield f"{name}: there is no dataset {query['datasetName']}"
    spec = widget.get("spec")
    if spec is None:
        return
    if VERSIONS.get(spec["widgetType"]) != spec["version"]:
        yield f"{name}: a {spec['widgetType']} of version {spec['version']} is not known here"
    given = {field["name"] for query in queries for field in query["fields"]}
    for field in sorted(set(fields_named(spec["encodings"])) - given):
        yield f"{name}: its query gives no field {field}"


def _overlaps(page: Document) -> Iterator[str]:
    for one, other in combinations(page["layout"], 2):
        if _overlap(one["position"], other["position"]):
            yield f"{one['widget']['name']} lies on {other['widget']['name']}"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "width"), ("y", "height"))
    )
