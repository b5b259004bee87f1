"""How Azure SQL is reached by ODBC: which server, by which of Microsoft's drivers, and as whom."""

import importlib
import platform
import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from shared.clients.identity.credentials import Identity
from shared.clients.retrying import CONNECT_SECONDS
from shared.errors import SettingsError

SCOPE: Final = "https://database.windows.net/.default"
_URL_FORM: Final = "A SQL URL is sqlite:///<path> or mssql://<server>[:<port>]/<database>, without user and password."

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
_ACCESS_TOKEN: Final = 1256  # SQL_COPT_SS_ACCESS_TOKEN of Microsoft's ODBC drivers
_PORT: Final = 1433
_STATEMENT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Server:
    """Where a database of Azure SQL is."""

    host: str
    port: int
    database: str


def odbc_connection(server: Server, driver: str) -> str:
    """Write the connection string that goes with an access token: no user, no password, no word on the login."""
    parts = {
        "Driver": _braced(driver),
        "Server": _braced(f"tcp:{server.host},{server.port}"),
        "Database": _braced(server.database),
        "Encrypt": "yes",
        "TrustServerCertificate": "no",
    }
    return ";".join(f"{name}={value}" for name, value in parts.items())


def token_bytes(token: str) -> bytes:
    """Write an access token as the driver wants it: the length in 4 bytes (little-endian), then UTF-16."""
    text = token.encode("utf-16-le")
    return struct.pack(f"<I{len(text)}s", len(text), text)


def server_of(url: str) -> Server:
    """Read `mssql://<server>[:<port>]/<database>` (or `mssql+pyodbc://`); raises SettingsError for any other text."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
    except ValueError:
        raise SettingsError(_URL_FORM) from None
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"mssql", "mssql+pyodbc"} or not (parts.hostname and database) or "@" in parts.netloc:
        raise SettingsError(_URL_FORM)
    return Server(parts.hostname, port, database)


def log_in(module: Any, text: str, identity: Identity) -> Any:  # noqa: ANN401 - pyodbc has no types
    """Connect by the module pyodbc with a fresh token; raises LoginRefused, or the driver's own error."""
    token = token_bytes(identity.token(SCOPE).value)
    connection = module.connect(text, attrs_before={_ACCESS_TOKEN: token}, timeout=int(CONNECT_SECONDS))
    connection.timeout = _STATEMENT_SECONDS
    return connection


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


def _braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"
