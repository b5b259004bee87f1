"""How an instance looks to the outside: the status document."""

import json
from datetime import datetime
from typing import Any

from emulators.functions_host.durable.model import Instance


def status_document(instance: Instance, *, with_input: bool) -> dict[str, Any]:
    """Write the status as the HTTP API answers it. A JSON text inside a JSON text stays one, as in Azure."""
    document = {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": _parsed(instance.input) if with_input else None,
        "customStatus": _parsed(instance.custom_status),
        "output": _parsed(instance.output),
        "createdTime": _seconds(instance.created),
        "lastUpdatedTime": _seconds(instance.updated),
    }
    return document | ({"parentInstanceId": instance.parent.instance} if instance.parent else {})


def _parsed(text: str | None) -> object:
    """Read a JSON text; one that is empty, the input of a start without a body, is shown as it is."""
    return json.loads(text) if text else text


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
