"""Check a bundle as it would be deployed: `python check_bundle.py <folder> <wheel> <targets.jsonl>`.

targets.jsonl: what `python -m emulators.databricks.deployment` prints. Every target is checked by Databricks' own
models (`databricks-bundles`) and against the wheel that the jobs would run. It ends with code 1 if anything is wrong.
"""

import ast
import configparser
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from databricks.bundles.dashboards import Dashboard
from databricks.bundles.jobs import Job
from databricks.bundles.schemas import Schema
from databricks.bundles.volumes import Volume

from check_dashboard import problems_of_dashboard

type _Model = Callable[[Any], object]
_MODELS: Mapping[str, _Model] = {
    "dashboards": Dashboard.from_dict,
    "jobs": Job.from_dict,
    "schemas": Schema.from_dict,
    "volumes": Volume.from_dict,
}
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_JOB_PARAMETER = re.compile(r"\{\{job\.parameters\.(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A built wheel: its name, and the text of its files by their path."""

    package: str
    files: Mapping[str, bytes]

    @property
    def entry_points(self) -> Mapping[str, str]:
        """Give the scripts of the wheel: `module:function` by name."""
        parser = configparser.ConfigParser()
        (text,) = [text for name, text in self.files.items() if name.endswith(".dist-info/entry_points.txt")]
        parser.read_string(text.decode())
        return dict(parser["console_scripts"])

    def defines(self, entry_point: str) -> bool:
        """Say whether the module of an entry point has its function."""
        module, _, function = entry_point.partition(":")
        text = self.files.get(f"{module.replace('.', '/')}.py", b"")
        return any(isinstance(node, ast.FunctionDef) and node.name == function for node in ast.parse(text).body)


def read_wheel(path: Path) -> Wheel:
    """Read a wheel file."""
    with zipfile.ZipFile(path) as archive:
        return Wheel(path.name.partition("-")[0], {name: archive.read(name) for name in archive.namelist()})


def problems_of_target(resources: Mapping[str, Mapping[str, Any]], wheel: Wheel) -> list[str]:
    """List what Databricks' models, or the wheel, would refuse in a target's resources."""
    found: list[str] = []
    for kind, of_kind in resources.items():
        for key, settings in of_kind.items():
            checks = (_refused(_MODELS[kind], settings), _unresolved(settings))
            found += [f"{kind}.{key}: {problem}" for check in checks for problem in check]
    for key, job in resources.get("jobs", {}).items():
        found += [f"jobs.{key}: {problem}" for problem in _problems_of_job(job, wheel)]
    return found


def problems_of_wheel(wheel: Wheel, contracts: Path) -> list[str]:
    """List the contracts that the wheel lacks or has another text of."""
    expected = {f"{wheel.package}/contracts/{path.relative_to(contracts)}": path for path in contracts.rglob("*.json")}
    other = [name for name, path in expected.items() if wheel.files.get(name) != path.read_bytes()]
    return [f"the wheel has no {name}, or another one" for name in sorted(other)]


def problems_of_notebook(path: Path) -> list[str]:
    """List what Databricks would not take for a notebook."""
    text = path.read_text(encoding="utf-8")
    try:
        compile(text, path.name, "exec")
    except SyntaxError as error:
        return [f"{path.name} is no Python: {error}"]
    first = text.partition("\n")[0]
    return [] if first == "# Databricks notebook source" else [f"{path.name} begins with {first!r}"]


def _refused(model: _Model, settings: Mapping[str, Any]) -> Iterator[str]:
    try:
        model(settings)
    except Exception as error:  # noqa: BLE001 - whatever the models raise, they refuse it
        yield str(error)


def _unresolved(settings: Mapping[str, Any]) -> Iterator[str]:
    for reference in sorted(set(_REFERENCE.findall(json.dumps(settings)))):
        yield f"{reference} stands for nothing"


def _problems_of_job(job: Mapping[str, Any], wheel: Wheel) -> Iterator[str]:
    clusters = {cluster["job_cluster_key"] for cluster in job.get("job_clusters", [])}
    tasks = {task["task_key"]: task for task in job.get("tasks", [])}
    for key, task in tasks.items():
        if task.get("job_cluster_key") not in clusters:
            yield f"{key} runs on the cluster {task.get('job_cluster_key')}, which the job does not have"
        if unknown := {one["task_key"] for one in task.get("depends_on", [])} - set(tasks):
            yield f"{key} depends on {', '.join(sorted(unknown))}, which the job does not have"
        yield from (f"{key}: {problem}" for problem in _problems_of_program(task["python_wheel_task"], wheel))
    named = {parameter["name"] for parameter in job.get("parameters", [])}
    for name in sorted(set(_JOB_PARAMETER.findall(json.dumps(job))) - named):
        yield f"the job has no parameter {name}"


def _problems_of_program(program: Mapping[str, Any], wheel: Wheel) -> Iterator[str]:
    name, entry_points = program["entry_point"], wheel.entry_points
    if program["package_name"] != wheel.package:
        yield f"its package is {program['package_name']}; the wheel is {wheel.package}"
    if name not in entry_points:
        yield f"the wheel has no entry point {name}; it has {', '.join(entry_points)}"
    elif not wheel.defines(entry_points[name]):
        yield f"the entry point {name} is {entry_points[name]}, which the wheel does not define"


def report(folder: Path, wheel: Wheel, targets: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Give what was checked, one line each, with the problems of it."""
    contracts = folder.parent / "contracts"
    entry_points = ", ".join(wheel.entry_points)
    yield f"wheel {wheel.package}: contracts, entry points {entry_points}", problems_of_wheel(wheel, contracts)
    for path in sorted((folder / "notebooks").glob("*.py")):
        yield f"notebook {path.name}", problems_of_notebook(path)
    for path in sorted((folder / "dashboards").glob("*.lvdash.json")):
        yield f"dashboard {path.name}", problems_of_dashboard(path)
    for target in targets:
        counted = ", ".join(f"{kind} {len(found)}" for kind, found in target["resources"].items())
        needs = f"to be given: {', '.join(target['needs'])}" if target["needs"] else "every value is there"
        yield f"target {target['target']}: {counted}; {needs}", problems_of_target(target["resources"], wheel)


def main(folder: Path, wheel: Path, targets: Path) -> None:
    """Print what was checked and what is wrong."""
    deployments = [json.loads(line) for line in targets.read_text(encoding="utf-8").splitlines()]
    wrong = 0
    for line, problems in report(folder, read_wheel(wheel), deployments):
        print(f"{'wrong' if problems else 'ok   '} {line}")
        wrong += len(problems)
        for problem in problems:
            print(f"      {problem}")
    print(
        f"Checked by the models of databricks-bundles {version('databricks-bundles')}. The Databricks CLI is not used: "
        "`databricks bundle validate -t <target>` does the rest where it and a workspace are at hand."
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
