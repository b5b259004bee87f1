"""The functions of the Workflow Definition Language that expressions may call."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from emulators.logic_app.expressions import ExpressionFailed, Functions, as_text

_UNRESERVED: Final = "-_.~"


def functions_of(*, body: Any, parameters: Mapping[str, Any], outputs: Mapping[str, Any], now: str) -> Functions:  # noqa: ANN401
    """Give the functions as one run sees them: its trigger's body, its parameters, and the outputs so far."""
    return {
        "triggerbody": lambda: body,
        "parameters": parameters.__getitem__,
        "outputs": outputs.get,
        "encodeuricomponent": lambda value: quote(as_text(value), safe=_UNRESERVED),
        "replace": _replace,
        "coalesce": _coalesce,
        "utcnow": lambda: now,
    }


def _replace(text: str, old: str, new: str) -> str:
    if not all(isinstance(argument, str) for argument in (text, old, new)):
        raise ExpressionFailed("replace takes three texts")
    if not old:
        raise ExpressionFailed("replace needs a text that is not empty to look for")
    return text.replace(old, new)


def _coalesce(*values: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not values:
        raise ExpressionFailed("coalesce needs at least one value")
    return next((value for value in values if value is not None), None)


FUNCTIONS: Final = tuple(functions_of(body=None, parameters={}, outputs={}, now=""))
