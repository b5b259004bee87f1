"""The ports of the local platform: fixed and documented, or any that are free."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, fields


class PortTaken(Exception):
    """Another process listens where a service should."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each service listens on 127.0.0.1; 0 means any free port. The field's first word is the service."""

    storage_blob: int = 10000
    storage_queue: int = 10001
    storage_table: int = 10002
    entra: int = 20001
    event_hubs: int = 5671
    event_hubs_admin: int = 20002
    event_hubs_websockets: int = 20009
    exchange: int = 20003
    exchange_admin: int = 20004
    event_grid: int = 20005
    event_grid_admin: int = 20006
    databricks: int = 20007
    databricks_admin: int = 20008
    logic_app: int = 20010
    logic_app_admin: int = 20011
    cosmos: int = 20012
    cosmos_admin: int = 20013
    notification_hubs: int = 20014
    notification_hubs_admin: int = 20015
    application_insights: int = 20016
    application_insights_admin: int = 20017
    functions: int = 7071
    functions_rpc: int = 17071

    @classmethod
    def free(cls) -> "Ports":
        """Let every service choose."""
        return cls(**{field.name: 0 for field in fields(cls)})

    def named(self) -> Iterator[tuple[str, int]]:
        """Give each port with its name."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def check_free(ports: Ports, services: frozenset[str]) -> None:
    """Raise PortTaken, naming service and port, if a fixed port of one of `services` is in use."""
    for name, port in ports.named():
        if _service_of(name, services) and is_taken(port):
            raise PortTaken(
                f"{name} needs port {port} and another process has it: stop that process"
                f" (`ss -ltnp sport = :{port}` names it), or start with --free-ports."
            )


def is_taken(port: int) -> bool:
    """Tell whether something listens on this port of 127.0.0.1."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _service_of(name: str, services: frozenset[str]) -> str | None:
    return next((service for service in services if name == service or name.startswith(f"{service}_")), None)
