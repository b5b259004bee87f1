"""What is missing or misconfigured on this machine, one line each, with what to do about it.

It imports the standard library alone, so that it can say what is missing where nothing is installed.
"""

import argparse
import json
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from local.clone import ROOT
from local.platform.ports import Ports, is_taken
from local.platform.state import State, is_running, was_killed

PYTHON = (3, 13)
NODE = 20
JAVA = (17, 21)
EARLIEST_CREDIBLE_TIME = datetime(2026, 11, 1, tzinfo=UTC)

_PACKAGES = ("azure.functions", "azure_functions_runtime", "azure.eventhub", "aiohttp", "trustme")

Verdict = Literal["ok", "missing", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `advice` says what was found and, where it is not ok, what to do."""

    verdict: Verdict
    subject: str
    advice: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as the checks see it; `program` answers a command with its output, or None where it can't run."""

    root: Path
    python: tuple[int, int]
    prefix: Path
    now: datetime
    program: Callable[[Sequence[str]], str | None]
    imports: Callable[[str], bool]
    port_taken: Callable[[int], bool]


def doctor(_: argparse.Namespace) -> int:
    """Print every finding; 0 only if all are ok."""
    found = list(examine(this_machine()))
    for finding in found:
        sys.stdout.write(f"{finding.verdict:<8} {finding.subject:<20} {finding.advice}\n")
    return 0 if all(finding.verdict == "ok" for finding in found) else 1


def examine(machine: Machine) -> Iterator[Finding]:
    """Run every check."""
    for check in (_python, _packages, _proton, _compiler, _node, _azurite, _cosmos, _java, _maven, _lakehouse, _clock):
        yield check(machine)
    yield from _states(machine)
    yield _ports(machine)
    yield _settings(machine)


def this_machine() -> Machine:
    """Look at the machine we run on."""
    return Machine(
        root=ROOT,
        python=sys.version_info[:2],
        prefix=Path(sys.prefix),
        now=datetime.now(UTC),
        program=_output_of,
        imports=_can_import,
        port_taken=is_taken,
    )


def _python(machine: Machine) -> Finding:
    version = ".".join(str(part) for part in machine.python)
    if machine.python != PYTHON:
        return Finding(
            "wrong", "Python", f"{version} runs this and 3.13 is needed: run `make setup`, then `make doctor`"
        )
    if machine.prefix.resolve() != (machine.root / ".venv").resolve():
        return Finding("wrong", "Python", f"{machine.prefix} is not this clone's .venv: run `make doctor`")
    return Finding("ok", "Python", f"{version} in .venv")


def _packages(machine: Machine) -> Finding:
    absent = [name for name in _PACKAGES if not machine.imports(name)]
    if absent:
        return Finding("missing", "packages", f"{', '.join(absent)} can't be imported: run `make setup`")
    return Finding("ok", "packages", "importable")


def _proton(machine: Machine) -> Finding:
    if not machine.imports("proton"):
        return Finding("missing", "proton", "python-qpid-proton can't be imported: run `make setup` with a C compiler")
    return Finding("ok", "proton", "importable")


def _compiler(machine: Machine) -> Finding:
    if machine.program(["cc", "--version"]) or machine.program(["gcc", "--version"]):
        return Finding("ok", "C compiler", "found")
    return Finding("missing", "C compiler", "`make setup` compiles proton: install one (Debian: build-essential)")


def _node(machine: Machine) -> Finding:
    version = (machine.program(["node", "--version"]) or "").strip()
    major = re.match(r"v(\d+)", version)
    if major is None:
        return Finding("missing", "Node.js", f"install Node.js {NODE} or later; Azurite runs on it")
    if int(major[1]) < NODE:
        return Finding("wrong", "Node.js", f"{version} is too old: install {NODE} or later")
    return Finding("ok", "Node.js", version)


def _azurite(machine: Machine) -> Finding:
    return _from_npm(machine, "azurite", "Azurite")


def _cosmos(machine: Machine) -> Finding:
    return _from_npm(machine, "@vercel/cosmosdb-server", "Cosmos DB")


def _from_npm(machine: Machine, name: str, subject: str) -> Finding:
    package = machine.root / "node_modules" / name / "package.json"
    wanted = _json(machine.root / "package.json").get("dependencies", {}).get(name)
    if not package.exists():
        return Finding("missing", subject, "not installed: run `make setup`")
    found = _json(package).get("version")
    if found != wanted:
        return Finding("wrong", subject, f"{found} is installed, package.json wants {wanted}: run `make setup`")
    return Finding("ok", subject, f"{found}")


def _java(machine: Machine) -> Finding:
    found = re.search(r'version "(\d+)', machine.program(["java", "-version"]) or "")
    if found is None:
        return Finding("missing", "Java", "Spark needs 17 or 21: install one (Debian: openjdk-17-jdk-headless)")
    if int(found[1]) not in JAVA:
        return Finding("wrong", "Java", f"{found[1]} is found, on which Spark 4.1.1 does not start: install 17 or 21")
    if machine.program(["javac", "-version"]) is None:
        advice = "`make test` compiles a client and needs it, `make run` does not (Debian: openjdk-17-jdk-headless)"
        return Finding("missing", "JDK", advice)
    return Finding("ok", "Java", found[1])


def _maven(machine: Machine) -> Finding:
    if machine.program(["mvn", "--version"]) is None:
        return Finding("missing", "Maven", "it fetches Spark's jars: install it (Debian: maven)")
    return Finding("ok", "Maven", "found")


def _lakehouse(machine: Machine) -> Finding:
    jars = list((machine.root / ".cache" / "jars").glob("delta-spark*.jar"))
    if not (jars and (machine.root / ".venv-lakehouse" / "bin" / "python").exists()):
        return Finding("missing", "lakehouse", "Spark is not installed, windows are not enriched: run `make lakehouse`")
    return Finding("ok", "lakehouse", "Spark and its jars are installed")


def _clock(machine: Machine) -> Finding:
    if machine.now < EARLIEST_CREDIBLE_TIME:
        return Finding("wrong", "clock", f"says {machine.now:%Y-%m-%d}: set it, or tokens and certificates are refused")
    return Finding("ok", "clock", f"{machine.now:%Y-%m-%dT%H:%M:%SZ}")


def _states(machine: Machine) -> Iterator[Finding]:
    folders = [mark.with_suffix("") for mark in sorted((machine.root / ".local").glob("*.running"))]
    if not folders:
        yield Finding("ok", "state", "no platform has run yet")
    for folder in folders:
        yield _state(machine, State(folder))


def _state(machine: Machine, state: State) -> Finding:
    subject = f"state {state.folder.name}"
    if was_killed(state):
        advice = f"left by a platform that was killed: start again with --clear, or remove .local/{state.folder.name}"
        return Finding("wrong", subject, f"{advice} and .local/{state.running.name}")
    if is_running(state):
        return _certificate(machine, state, subject)
    return Finding("ok", subject, "not running")


def _certificate(machine: Machine, state: State, subject: str) -> Finding:
    if not state.authority.exists():
        return Finding("wrong", subject, "runs without its certificates: start the platform again")
    if not _is_valid(state.authority, machine.now):
        return Finding("wrong", subject, "its certificate is not valid now: set the clock, or start the platform again")
    return Finding("ok", subject, "running, its certificate is valid")


def _is_valid(authority: Path, now: datetime) -> bool:
    certificate = ssl.create_default_context(cafile=str(authority)).get_ca_certs()[0]
    begin, end = (ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter"))
    return begin <= now.timestamp() <= end


def _ports(machine: Machine) -> Finding:
    taken = [f"{name} {port}" for name, port in Ports().named() if machine.port_taken(port)]
    ours = any(is_running(State(mark.with_suffix(""))) for mark in (machine.root / ".local").glob("*.running"))
    if taken and not ours:
        return Finding("wrong", "ports", f"in use: {', '.join(taken)}: stop their holders or use --free-ports")
    return Finding("ok", "ports", "held by the platform that runs" if taken else "free")


def _settings(machine: Machine) -> Finding:
    subject, path = "local.settings.json", machine.root / "local.settings.json"
    if not path.exists():
        return Finding("ok", subject, "not there, and only `func start` needs it: `make platform` writes it")
    wanted = _values(machine.root / "local.settings.sample.json")
    found = _values(path)
    if found is None or wanted is None:
        return Finding("wrong", subject, 'it or its sample is not JSON with "Values": compare the two')
    if absent := sorted(wanted.keys() - found.keys()):
        return Finding("missing", subject, f"lacks {', '.join(absent)}: copy them from local.settings.sample.json")
    return Finding("ok", subject, f"{len(found)} values")


def _values(path: Path) -> Mapping[str, object] | None:
    values = _json(path).get("Values")
    return values if isinstance(values, dict) else None


def _json(path: Path) -> dict[str, Mapping[str, object]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _output_of(command: Sequence[str]) -> str | None:
    program = shutil.which(command[0])
    if program is None:
        return None
    answer = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    return answer.stdout + answer.stderr if answer.returncode == 0 else None


def _can_import(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True
