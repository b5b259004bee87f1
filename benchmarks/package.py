"""The published package: its size, that of its requirements unpacked, the CPU time of its import with these alone."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.interleaved import Row
from benchmarks.whole_processes import cpu_of

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "package"
MOST_ZIPPED = 1.0
MOST_UNPACKED = 350.0
BAR = 1.1
ROUNDS = 7
"""After one more, in which the sources are compiled."""

FOR_AZURE = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.13", "--require-hashes", "--no-deps")


def rows() -> list[Row]:
    """Pack the app, unpack its pins as a build in Azure does, and import it; megabytes are millions of bytes."""
    with TemporaryDirectory() as folder:
        app, packages = Path(folder, "app"), Path(folder, "packages")
        _run([sys.executable, SCRIPT, "--folder", app])
        _run([sys.executable, SCRIPT])
        _install(app / "requirements.txt", packages)
        return [
            Row("package, MB zipped", "files of the app", _megabytes(ROOT / "dist" / "app.zip"), MOST_ZIPPED, True),
            Row("its requirements, MB unpacked", "cp313, x86-64", _megabytes(packages), MOST_UNPACKED, True),
            _importing(app, packages),
        ]


def _importing(app: Path, packages: Path) -> Row:
    own = app.with_name("compiled")
    base = getattr(sys, "_base_executable", sys.executable)
    seconds = [(_cpu(base, [app, packages], own), _cpu(sys.executable, [ROOT], own)) for _ in range(1 + ROUNDS)][1:]
    ratios = [alone / clone for alone, clone in seconds]
    note = f"{min(ratios):.3f} to {max(ratios):.3f} in {ROUNDS} rounds; {median(alone for alone, _ in seconds):.2f} s"
    return Row("import function_app of the package", "in the clone", median(ratios), BAR, True, note)


def _install(requirements: Path, into: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    cache = {"UV_CACHE_DIR": str(ROOT / ".cache" / "uv")}
    words: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--link-mode",
        "copy",
        "--target",
        into,
        *FOR_AZURE,
        "-r",
        requirements,
    ]
    _run(words, cache | os.environ)


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files) / 1e6


def _cpu(python: str, places: list[Path], compiled: Path) -> float:
    found = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(compiled)}
    environment = os.environ | found | {"PYTHONPATH": os.pathsep.join(map(str, places))}
    return cpu_of([python, "-c", "import function_app"], environment, ROOT / "dist")


def _run(words: list[str | Path], environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(words, env=environment, cwd=ROOT / "dist", check=True, capture_output=True)
