from datetime import timedelta

import pytest

from emulators.functions_host.app_worker import Function
from emulators.functions_host.backoff import RetryPolicy
from emulators.functions_host.bindings import check_bindings, enabled, named
from emulators.functions_host.errors import AppRefused


def function(name, *types, retry=None):
    return Function(name, name, tuple({"name": f"{kind}_in", "type": kind} for kind in types), retry)


def test_served_bindings_pass():
    functions = [function("a", "httpTrigger", "http", "durableClient"), function("b", "timerTrigger")]

    check_bindings(functions, ["timerTrigger"])

    assert named(functions, "timertrigger") == [functions[1]]


def test_every_unknown_binding_is_refused_by_function_and_name():
    with pytest.raises(AppRefused) as refusal:
        check_bindings([function("a", "queueTrigger"), function("b", "entityTrigger", "blob")], ["timerTrigger"])

    text = str(refusal.value)
    assert "function 'a': binding 'queueTrigger_in' is a queueTrigger" in text
    assert "durable entities are left out" in text
    assert "'blob_in'" in text


def test_a_retry_policy_is_refused_where_nothing_would_carry_it_out():
    policy = RetryPolicy(3, timedelta(seconds=1), timedelta(seconds=1))

    check_bindings([function("h", "eventHubTrigger", retry=policy)], ["eventHubTrigger"])

    with pytest.raises(AppRefused, match="'t' has a retry policy"):
        check_bindings([function("t", "timerTrigger", retry=policy)], ["timerTrigger"])


def test_a_function_that_a_setting_disables_is_left_out():
    functions = [function("a", "timerTrigger"), function("b", "timerTrigger")]

    assert enabled(functions, {"AzureWebJobs.a.Disabled": "true", "AzureWebJobs.b.Disabled": "false"}) == (
        functions[1],
    )
