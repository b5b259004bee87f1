"""One run of a workflow: its actions in the order of `runAfter`, as the engine of Logic Apps treats them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from emulators.logic_app.connectors import Connectors
from emulators.logic_app.definitions import Action, ApiConnection, Response, Status, Switch, Workflow, api_of
from emulators.logic_app.expressions import ExpressionFailed, Functions, rendered
from emulators.logic_app.functions import functions_of

logger = logging.getLogger(__name__)

_GOOD = range(200, 300)
_BAD: tuple[Status, ...] = ("Failed", "TimedOut")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a Response action answers."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(slots=True)
class Run:
    """A run and what became of each of its actions; `reply` is that of the first Response, None where none came."""

    workflow: Workflow
    connectors: Connectors
    functions: Functions
    outputs: dict[str, Any]
    statuses: dict[str, Status] = field(default_factory=dict)
    reply: Reply | None = None
    status: Status = "Skipped"

    def block(self, actions: Mapping[str, Action]) -> Status:
        """Run actions; they have failed where one of them failed and none that ran came after it."""
        order = TopologicalSorter({name: list(action.run_after) for name, action in actions.items()})
        for name in order.static_order():
            self.statuses[name] = self._status(name, actions[name])
        handled = {
            earlier
            for name, action in actions.items()
            for earlier in action.run_after
            if self.statuses[name] != "Skipped"
        }
        failed = any(self.statuses[name] in _BAD and name not in handled for name in actions)
        return "Failed" if failed else "Succeeded"

    def _status(self, name: str, action: Action) -> Status:
        if any(self.statuses[earlier] not in allowed for earlier, allowed in action.run_after.items()):
            return "Skipped"
        try:
            return self._do(name, action)
        except ExpressionFailed as error:
            logger.info("logic_app.action_failed action=%s cause=%s", name, error)
            return "Failed"

    def _do(self, name: str, action: Action) -> Status:
        match action:
            case Switch():
                return self._switch(action)
            case ApiConnection():
                return self._call(name, action)
            case Response():
                self._answer(action)
        return "Succeeded"

    def _switch(self, action: Switch) -> Status:
        value = rendered(action.expression, self.functions)
        chosen = next((case.actions for case in action.cases.values() if case.case == value), action.default.actions)
        return self.block(chosen)

    def _call(self, name: str, action: ApiConnection) -> Status:
        inputs = action.inputs
        connection = rendered(inputs.host.connection.name, self.functions)
        path, body = rendered(inputs.path, self.functions), rendered(inputs.body, self.functions)
        answer = self.connectors.call(api_of(connection, self.workflow.parameters), inputs.method, path, body)
        self.outputs[name] = {"statusCode": answer.status, "headers": {}, "body": answer.body}
        return "Succeeded" if answer.status in _GOOD else "Failed"

    def _answer(self, action: Response) -> None:
        inputs = action.inputs
        body = rendered(inputs.body, self.functions)
        self.reply = self.reply or Reply(inputs.status_code, body, inputs.headers)


def run_workflow(workflow: Workflow, connectors: Connectors, body: Any, now: str) -> Run:  # noqa: ANN401
    """Run a workflow for the body of a request; `now` is what `utcNow()` gives."""
    outputs: dict[str, Any] = {}
    functions = functions_of(body=body, parameters=workflow.parameters, outputs=outputs, now=now)
    run = Run(workflow, connectors, functions, outputs)
    run.status = run.block(workflow.actions)
    return run
