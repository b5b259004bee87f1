"""The bodies of the task hub API's refusals, in the words and shapes of ASP.NET and the extension.

A refusal with a `Message` alone is one that the extension words itself; one with an exception has four fields. Texts
that it answers without a `Message` are JSON strings.
"""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web

_ARGUMENT, _READER = "System.ArgumentException", "Newtonsoft.Json.JsonReaderException"
_ALREADY: Final = "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException"
_FRAMES: Final = {
    _READER: "   at Newtonsoft.Json.JsonTextReader.ParseValue()",
    _ARGUMENT: "   at Microsoft.Azure.WebJobs.Extensions.DurableTask.DurableClient.RestartAsync(String instanceId)",
    _ALREADY: "   at Microsoft.Azure.WebJobs.Extensions.DurableTask.DurableClient.StartNewAsync(String instanceId)",
}


def refused(status: int, message: str) -> web.Response:
    """Refuse with `{"Message"}`."""
    return web.json_response({"Message": message}, status=status)


def refused_in_a_text(status: int, text: str) -> web.Response:
    """Refuse with a bare JSON string."""
    return web.json_response(text, status=status)


def not_json(text: str) -> web.Response | None:
    """Refuse a body that is no JSON, as Newtonsoft's reader does; None where it is."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return _with_exception(400, "Invalid JSON content", _reader_complaint(text, error), _READER)
    return None


def no_such_function(text: str) -> web.Response:
    """Refuse to start what is no orchestrator; the SDK reads `ExceptionMessage`."""
    return web.json_response({"Message": text, "ExceptionMessage": text}, status=400)


def already_exists(status: str) -> web.Response:
    """Refuse to start an id that has not ended."""
    return refused(409, _already(status))


def cannot_be_restarted(status: str) -> web.Response:
    """Refuse to restart under its own id what has not ended."""
    message = "A non-terminal instance with this instance ID already exists."
    return _with_exception(409, message, _already(status), _ALREADY)


def nothing_to_restart(instance_id: str) -> web.Response:
    """Refuse to restart an unknown id; the misspelling is the extension's."""
    text = f"An orchestrastion with the instanceId {instance_id} was not found."
    return _with_exception(400, "InstanceId does not match a valid orchestration instance.", text, _ARGUMENT)


def _already(status: str) -> str:
    return f"An Orchestration instance with the status {status} already exists."


def _with_exception(status: int, message: str, exception: str, kind: str) -> web.Response:
    body: Mapping[str, str] = {
        "Message": message,
        "ExceptionMessage": exception,
        "ExceptionType": kind,
        "StackTrace": _FRAMES[kind],
    }
    return web.json_response(body, status=status)


def _reader_complaint(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "Error reading JToken from JsonReader. Path '', line 0, position 0."
    place = f"Path '', line {error.lineno}, position {error.colno}."
    if error.pos >= len(text):
        return f"Unexpected end when reading JSON. {place}"
    return f"Unexpected character encountered while parsing value: {text[error.pos]}. {place}"
