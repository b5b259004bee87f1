"""What the configuration would make with a choice of options: resources by address, as applied to mocks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.checks.terraform import Outcome


@dataclass(frozen=True)
class State:
    """The resources of one run of the tests in infra/tests, and its outputs."""

    resources: Mapping[str, dict[str, Any]]
    outputs: Mapping[str, Any]

    def all_of(self, kind: str) -> Iterator[dict[str, Any]]:
        return (values for address, values in self.resources.items() if address.split(".")[0] == f"azurerm_{kind}")

    def one(self, kind: str) -> dict[str, Any]:
        """Give the only resource of a kind; ValueError where there are more or none."""
        (found,) = self.all_of(kind)
        return found

    def at(self, address: str) -> dict[str, Any]:
        return self.resources[f"azurerm_{address}"]

    @property
    def app_settings(self) -> dict[str, str]:
        apps = [*self.all_of("function_app_flex_consumption"), *self.all_of("linux_function_app")]
        (app,) = apps
        return app["app_settings"]


def states_of(tested: Outcome) -> dict[str, State]:
    """Give the state after each run, by its name."""
    found = [message for message in tested.messages() if message["type"] == "test_state"]
    return {message["@testrun"]: _state(message["test_state"]) for message in found}


def _state(written: dict[str, Any]) -> State:
    listed = written["root_module"]["resources"]
    resources = {each["address"]: each["values"] for each in listed if each["mode"] == "managed"}
    return State(resources, {name: each["value"] for name, each in written.get("outputs", {}).items()})
