"""Which of Microsoft's ODBC drivers is used: one that the system has, else the one in the package mssql-python-odbc."""

import importlib
import platform
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from shared.errors import SettingsError

_DRIVERS: Final = ("ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server")
_PACKAGE: Final = "mssql_python_odbc"
_LIKE: Final = {
    "suse": "suse",
    "sles": "suse",
    "rhel": "rhel",
    "fedora": "rhel",
    "azurelinux": "rhel",
    "alpine": "alpine",
}
_MACHINES: Final = {"x86_64": "x86_64", "aarch64": "arm64"}


def choose_driver(installed: Collection[str], brought: Callable[[], str | None] | None = None) -> str:
    """Choose the newest of Microsoft's drivers that is installed, else the path of the one that a package brings.

    installed: as pyodbc lists them. brought: gives that path, None where there is none. Raises SettingsError where
    neither is there.
    """
    for driver in _DRIVERS:
        if driver in installed:
            return driver
    path = (brought or brought_driver)()
    if path is None:
        either = f"{' or '.join(_DRIVERS)} is needed, or the package mssql-python-odbc, which brings one for Linux"
        raise SettingsError(f"None of Microsoft's ODBC drivers is installed: {either}.")
    return path


def brought_driver() -> str | None:
    """Give the path of the driver in mssql-python-odbc; None where it is not installed, or has none for this system.

    The package tells its folder alone; beneath lie `linux/<distribution>/<machine>/lib` (18.6.2.2). unixODBC, which
    pyodbc is linked to, is the system's all the same.
    """
    try:
        folder = Path(importlib.import_module(_PACKAGE).get_libs_dir())
    except ImportError:
        return None
    return driver_in(folder, _release(), platform.machine())


def driver_in(folder: Path, release: Mapping[str, str], machine: str) -> str | None:
    """Find the driver of a distribution (the fields of os-release) and a machine; what is unknown is like Debian."""
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    family = next((family for name in names for like, family in _LIKE.items() if like in name), "debian_ubuntu")
    libraries = folder / "linux" / family / _MACHINES.get(machine, machine) / "lib"
    return max((str(path) for path in libraries.glob("libmsodbcsql-*.so*")), default=None)


def _release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
