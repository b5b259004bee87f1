"""A run on real Spark in a process of its own, told line by line what to do."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_PYTHON = ROOT / ".venv-lakehouse/bin/python"
_PEERS = Path(__file__).parent / "peers"


class Process:
    """One run in a process of its own, which does a step when it is told to."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self._name = name
        self._process = process
        self.ready: dict[str, Any] = self._answer()

    def tell(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        answer = self._answer()
        print(f"{self._name} | {command}: {answer}", flush=True)
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f"the run ended with {self._process.wait()} before it answered")


@contextmanager
def spark_process(script: str, root: Path, name: str, *arguments: str) -> Iterator[Process]:
    """Start a script of `peers` with the wheel that lies under `root`, and end it."""
    if not _PYTHON.exists():
        raise FileNotFoundError(f"{_PYTHON} is missing: run scripts/setup-lakehouse first.")
    folders = {"PYTHONPATH": f"{root}/databricks/src:{root}/databricks/tests"}
    command = [str(_PYTHON), str(_PEERS / script), *arguments]
    started = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **folders}
    )
    try:
        yield Process(name, started)
    finally:
        started.terminate()
        started.wait(60)
