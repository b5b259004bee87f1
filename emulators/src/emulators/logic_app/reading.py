"""Reading workflows from their files, and refusing at once what would not run here as it does in Azure."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Final

import msgspec

from emulators.logic_app.connectors import understands
from emulators.logic_app.definitions import (
    CONNECTIONS,
    Action,
    ApiConnection,
    Document,
    Response,
    Switch,
    Trigger,
    Workflow,
    actions_in,
    api_of,
)
from emulators.logic_app.expressions import BadExpression, Call, ExpressionFailed, Literal, calls_in, parts_of, rendered
from emulators.logic_app.functions import FUNCTIONS, functions_of
from emulators.logic_app.schemas import UnknownSchema, check_schema

_KINDS: Final = ("ApiConnection", "Response", "Switch")


class NotUnderstood(Exception):
    """A definition that this emulator would not run as Azure does; the text names the file, the part and the rule."""


def read_workflows(folder: Path) -> list[Workflow]:
    """Read every `<folder>/<name>/workflow.json`; raises NotUnderstood."""
    found = [read_workflow(path) for path in sorted(folder.glob("*/workflow.json"))]
    if not found:
        raise NotUnderstood(f"{folder} holds no <name>/workflow.json.")
    return found


def read_workflow(path: Path) -> Workflow:
    """Read one; its name is that of its folder. Raises NotUnderstood."""
    try:
        raw = msgspec.json.decode(path.read_bytes())
        _refuse_unknown_actions(raw["definition"]["actions"])
        document = msgspec.convert(raw, Document)
        return _workflow(path.parent.name, document, raw)
    except NotUnderstood as error:
        raise NotUnderstood(f"{path}: {error}") from error
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as error:
        raise NotUnderstood(f"{path} is no workflow that is understood here: {error}") from error


def _workflow(name: str, document: Document, raw: Mapping[str, Any]) -> Workflow:
    definition = document.definition
    if len(definition.triggers) != 1:
        raise NotUnderstood(f"it has {len(definition.triggers)} triggers; one is understood.")
    trigger_name, trigger = next(iter(definition.triggers.items()))
    found = Workflow(name, trigger_name, trigger, definition.actions, _values(document))
    _check_order(definition.actions)
    _check_schema(trigger)
    _check_expressions(raw["definition"]["actions"], found)
    _check_calls(found)
    return found


def _values(document: Document) -> dict[str, Any]:
    declared = document.definition.parameters
    given = {name: value.value for name, value in document.parameters.items()}
    if unknown := sorted(set(given) - set(declared)):
        raise NotUnderstood(f"it gives the parameter {', '.join(unknown)}, which the definition does not declare.")
    values = {name: one.default_value for name, one in declared.items()} | given
    if missing := sorted(name for name, value in values.items() if value is None):
        raise NotUnderstood(f"the parameter {', '.join(missing)} has no value.")
    return values


def _refuse_unknown_actions(actions: Mapping[str, Any]) -> None:
    for name, action in actions.items():
        if action["type"] not in _KINDS:
            known = ", ".join(_KINDS)
            raise NotUnderstood(f"the action {name!r} is of type {action['type']!r}; understood are {known}.")
        for block in [*action.get("cases", {}).values(), action.get("default", {})]:
            _refuse_unknown_actions(block.get("actions", {}))


def _check_order(actions: Mapping[str, Action]) -> None:
    for name, action in actions.items():
        if unknown := sorted(set(action.run_after) - set(actions)):
            raise NotUnderstood(f"the action {name!r} runs after {', '.join(unknown)}, which is not beside it.")
        for block in action.blocks() if isinstance(action, Switch) else ():
            _check_order(block)
    try:
        TopologicalSorter({name: list(action.run_after) for name, action in actions.items()}).prepare()
    except CycleError as error:
        raise NotUnderstood(f"its actions wait for each other: {' -> '.join(error.args[1])}.") from error


def _check_schema(trigger: Trigger) -> None:
    try:
        check_schema(trigger.inputs.schema)
    except UnknownSchema as error:
        raise NotUnderstood(f"the trigger can't be checked: {error}.") from error


def _check_expressions(raw: Mapping[str, Any], workflow: Workflow) -> None:
    try:
        for call in calls_in(raw):
            _check_call(call, workflow)
    except BadExpression as error:
        raise NotUnderstood(f"an expression can't be read: {error}.") from error


def _check_call(call: Call, workflow: Workflow) -> None:
    if call.name.lower() not in FUNCTIONS:
        raise NotUnderstood(f"the function {call.name!r} is not understood; understood are {', '.join(FUNCTIONS)}.")
    known = {"outputs": dict(actions_in(workflow.actions)), "parameters": workflow.parameters}.get(call.name.lower())
    match call.arguments:
        case [Literal(value)] if known is not None and value not in known:
            raise NotUnderstood(f"{call.name}('{value}') names what is not there.")


def _check_calls(workflow: Workflow) -> None:
    found = dict(actions_in(workflow.actions))
    if not any(isinstance(action, Response) for action in found.values()):
        raise NotUnderstood("no action answers the caller.")
    for name, action in found.items():
        if isinstance(action, ApiConnection):
            api, inputs = _api_of(name, action, workflow), action.inputs
            if not understands(api, inputs.method, _shape(inputs.path)):
                raise NotUnderstood(
                    f"the action {name!r} calls {inputs.method} {inputs.path} of {api}: not understood."
                )


def _api_of(name: str, action: ApiConnection, workflow: Workflow) -> str:
    functions = functions_of(body=None, parameters=workflow.parameters, outputs={}, now="")
    try:
        return api_of(rendered(action.inputs.host.connection.name, functions), workflow.parameters)
    except (ExpressionFailed, KeyError) as error:
        raise NotUnderstood(f"the action {name!r} has no connection among {CONNECTIONS}: {error}.") from error


def _shape(path: str) -> str:
    return "".join(part if isinstance(part, str) else "x" for part in parts_of(path))
