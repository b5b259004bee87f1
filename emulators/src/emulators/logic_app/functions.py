"""The functions of the Workflow Definition Language that expressions may call."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from emulators.logic_app.expressions import Functions

_UNRESERVED: Final = "-_.~"


def functions_of(*, body: Any, parameters: Mapping[str, Any], outputs: Mapping[str, Any], now: str) -> Functions:  # noqa: ANN401
    """Give the functions as one run sees them: its trigger's body, its parameters, and the outputs so far."""
    return {
        "triggerbody": lambda: body,
        "parameters": parameters.__getitem__,
        "outputs": outputs.get,
        "encodeuricomponent": lambda text: quote(text, safe=_UNRESERVED),
        "replace": lambda text, old, new: text.replace(old, new),
        "coalesce": lambda *values: next((value for value in values if value is not None), None),
        "utcnow": lambda: now,
    }


FUNCTIONS: Final = tuple(functions_of(body=None, parameters={}, outputs={}, now=""))
