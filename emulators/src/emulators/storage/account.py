"""The development account that Azurite knows, and the connection strings that reach it."""

from collections.abc import Mapping

DEVELOPMENT_STORAGE = "UseDevelopmentStorage=true"
STANDARD_PORTS = {"blob": 10000, "queue": 10001, "table": 10002}

_ACCOUNT = "devstoreaccount1"
# Not a secret: the one key of every storage emulator, published in Microsoft's documentation.
_WELL_KNOWN_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection_string(endpoints: Mapping[str, str]) -> str:
    """Write the connection string of an Azurite whose `blob`, `queue` and `table` endpoints are given.

    An endpoint is a base URL without the account, such as `http://127.0.0.1:10000`.
    """
    parts = {
        "DefaultEndpointsProtocol": "http",
        "AccountName": _ACCOUNT,
        "AccountKey": _WELL_KNOWN_KEY,
    } | {f"{service.capitalize()}Endpoint": f"{base}/{_ACCOUNT}" for service, base in endpoints.items()}
    return ";".join(f"{name}={value}" for name, value in parts.items()) + ";"
