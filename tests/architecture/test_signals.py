"""Metrics have few series whatever happens, and each is recorded as its table says."""

import ast
import json
from datetime import timedelta
from math import prod

import pytest

from shared.feeds.shop.feed import FEED as SHOP
from shared.signals import metrics
from shared.signals.metrics import CLOSED, CONFIGURED, METRICS, TIMERS, Metric
from tests.architecture.app_on_fakes import App
from tests.architecture.tree import modules, syntax
from tests.told import telling

SPANS = {"tick", "window", "slice", "send", "opening", "closing", "run", "measurement", "mail"}
IDS = {"window", "slice", "run", "attempt", "number", "instance", "path", "alert"}
TABLE = {name: value for name, value in vars(metrics).items() if isinstance(value, Metric)}
RECORDED = [
    (f"{name}:{node.lineno}", node)
    for name in modules("shared", "blueprints")
    for node in ast.walk(syntax(name))
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record"
]


def test_every_metric_is_in_the_table_once():
    assert sorted(TABLE.values(), key=lambda one: one.name) == sorted(METRICS, key=lambda one: one.name)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_every_dimension_has_a_closed_set_and_none_holds_an_id():
    dimensions = {dimension for metric in METRICS for dimension in metric.dimensions}

    assert dimensions == set(CLOSED) | CONFIGURED
    assert all(len(values) > 1 for values in CLOSED.values())
    assert dimensions & IDS == set()


@pytest.mark.parametrize(("place", "call"), RECORDED, ids=[place for place, _ in RECORDED])
def test_each_call_names_its_metrics_own_dimensions(place, call):
    metric = TABLE[call.args[0].id]

    assert sorted(keyword.arg for keyword in call.keywords) == sorted(metric.dimensions)


def test_each_metric_is_recorded_somewhere():
    assert {call.args[0].id for _, call in RECORDED} == set(TABLE)


def test_each_function_of_a_timer_counts_its_own_ticks():
    timers = {
        function.name: {call.keywords[0].value.value for call in _calls(function) if call in [c for _, c in RECORDED]}
        for name in modules("blueprints")
        for function in syntax(name).body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and "timer_trigger" in ast.dump(function)
    }

    assert timers == {name: {name} for name in TIMERS}


def _calls(function):
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


async def run_windows(app, number):
    for _ in range(number):
        plan = app.claim()
        await app.run(plan)
        app.now = plan.window.start + app.settings.feeds[app.feed.name].schedule.every - timedelta(seconds=30)


async def test_ten_windows_have_no_more_series_than_their_sets_allow_and_none_names_a_window(tmp_path):
    app = App(SHOP, tmp_path)
    configured = {"feed": {"shop"}, "stream": {stream.name for stream in SHOP.streams}}
    with telling(**configured) as told:
        await run_windows(app, 10)
        series = told.series()
        windows = {span.attributes["window"] for span in told.spans("window")}

    most = {metric.name: prod(len((CLOSED | configured)[one]) for one in metric.dimensions) for metric in METRICS}
    assert [name for name, each in series.items() if len(each) > most[name]] == []
    assert len(windows) == 10
    values = json.dumps([list(dimensions.values()) for each in series.values() for dimensions, _ in each])
    assert [window for window in windows if window in values] == []


async def test_of_each_window_one_trace_is_told_whose_spans_have_known_names(tmp_path):
    app = App(SHOP, tmp_path)
    with telling(feed={"shop"}) as told:
        await run_windows(app, 2)

    traces = {span.context.trace_id for span in told.spans()}
    assert len(traces) == 2
    assert {span.name for span in told.spans()} <= SPANS
    assert len(told.spans("slice")) == 4
