"""The app, loaded and executed by Microsoft's azure-functions-runtime (the library that Azure's own worker uses)."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import azure_functions_runtime as runtime

from emulators.functions_host.backoff import RetryCount, RetryPolicy
from emulators.functions_host.errors import AppRefused
from emulators.functions_host.invocations import invoking
from emulators.functions_host.protos import Message, ParameterBinding, Protos, StatusResult, TypedData

_OUT = "OUT"


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function: its name, the worker's id for it, and its bindings as the worker writes them."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]
    retry: RetryPolicy | None = None

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding whose type ends with `Trigger`."""
        return next(binding for binding in self.bindings if binding["type"].lower().endswith("trigger"))

    @property
    def inputs(self) -> tuple[Mapping[str, Any], ...]:
        """The bindings besides the trigger that give the function a value."""
        return tuple(b for b in self.bindings if b is not self.trigger and b.get("direction", "").upper() != _OUT)


@dataclass(frozen=True, slots=True)
class Given:
    """What a trigger gives one execution: its value, its metadata by name, and the count of retries."""

    value: TypedData
    metadata: Mapping[str, TypedData] = field(default_factory=dict)
    retries: RetryCount = field(default_factory=RetryCount)


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What one execution gave: `returned` and `outputs` when it succeeded, `error` and `stack` when it failed."""

    error: str | None = None
    stack: str = ""
    returned: TypedData | None = None
    outputs: tuple[ParameterBinding, ...] = ()


async def load_app(folder: Path) -> tuple[Function, ...]:
    """Load the app in `folder` and index its functions; one app per process, since the runtime keeps it in globals.

    Raises AppRefused with the worker's own message when the worker would refuse the app.
    """
    sys.path.insert(0, str(folder))
    runtime.start_threadpool_executor()
    init = Message(capabilities={}, function_app_directory=str(folder))
    request = Message(request=Message(worker_init_request=init), properties={"host": "127.0.0.1", "protos": Protos()})
    response = await runtime.worker_init_request(request)
    if response.result.status != StatusResult.Success:
        raise AppRefused(f"{response.result.exception.message}\n{response.result.exception.stack_trace}")
    indexed = (await runtime.functions_metadata_request(request)).function_metadata_results
    if not indexed:
        raise AppRefused(f"no functions were found in {folder}: it needs a function_app.py that declares some")
    return tuple(_function(metadata) for metadata in indexed)


async def execute(function: Function, invocation: str, given: Given, others: Mapping[str, TypedData]) -> CallOutcome:
    """Run `function` once with what its trigger gives, and the values of its `others` bindings by parameter name.

    `invocation` becomes the id that the function's own log lines carry.
    """
    with invoking(invocation):
        response = await runtime.invocation_request(_request(function, invocation, given, others))
    if response.result.status != StatusResult.Success:
        return CallOutcome(error=response.result.exception.message, stack=response.result.exception.stack_trace)
    return CallOutcome(returned=response.return_value, outputs=tuple(response.output_data or ()))


def _request(function: Function, invocation: str, given: Given, others: Mapping[str, TypedData]) -> Message:
    values = {function.trigger["name"]: given.value, **others}
    own = TypedData(json=json.dumps({"MethodName": function.name, "RandGuid": invocation}))
    message = Message(
        invocation_id=invocation,
        function_id=function.id,
        input_data=[ParameterBinding(name, data) for name, data in values.items()],
        trigger_metadata={"sys": own, **given.metadata},
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=given.retries.now, max_retry_count=given.retries.most),
    )
    return Message(request=Message(invocation_request=message))


def _function(metadata: Message) -> Function:
    fields: dict[str, Any] = vars(metadata)
    raw: Sequence[str] = fields["raw_bindings"]
    bindings = tuple(json.loads(text) for text in raw)
    return Function(fields["name"], fields["function_id"], bindings, _retry_policy(fields.get("retry_options")))


def _retry_policy(options: Message | None) -> RetryPolicy | None:
    if options is None:
        return None
    fields: dict[str, Any] = vars(options)
    if "delay_interval" in fields:
        return RetryPolicy(fields["max_retry_count"], fields["delay_interval"], fields["delay_interval"])
    return RetryPolicy(fields["max_retry_count"], fields["minimum_interval"], fields["maximum_interval"])
