"""The dashboard's file: what its widgets name is there, and mistakes in it are found."""

import copy
import json
import subprocess

import pytest

from check_bundle import problems_of_target
from check_dashboard import problems_of_dashboard
from hub_stage import PYTHON, ROOT

FOLDER = ROOT / "databricks/dashboards"
FILE = FOLDER / "lakehouse.lvdash.json"
DOCUMENT = json.loads(FILE.read_text())


def problems(tmp_path, change):
    document = copy.deepcopy(DOCUMENT)
    change(document)
    path = tmp_path / "changed.lvdash.json"
    path.write_text(json.dumps(document))
    return problems_of_dashboard(path)


def widget(document, page=0, number=1):
    return document["pages"][page]["layout"][number]["widget"]


def test_the_dashboard_has_no_problem():
    assert problems_of_dashboard(FILE) == []


def test_it_has_a_page_for_windows_one_for_quality_and_one_for_each_feed():
    names = [page["name"] for page in DOCUMENT["pages"]]

    assert names == ["reconciliation", "quality", "trades", "payments", "promotions", "call_centre", "shop"]


BROKEN = {
    "dataset": (lambda one: widget(one)["queries"][0]["query"].update(datasetName="lost"), "there is no dataset lost"),
    "field": (lambda one: widget(one)["spec"]["encodings"]["value"].update(fieldName="lost"), "gives no field lost"),
    "version": (lambda one: widget(one)["spec"].update(version=9), "a counter of version 9"),
    "place": (lambda one: one["pages"][0]["layout"][1]["position"].update(x=1), "windows_seen lies on records_arrived"),
    "name": (lambda one: widget(one).update(name="reasons"), "the name reasons is there 2 times"),
    "unused": (lambda one: one["pages"].pop(), "no widget shows the dataset engagements"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_mistake_is_named(tmp_path, case):
    change, named = BROKEN[case]

    assert any(named in problem for problem in problems(tmp_path, change))


def test_what_is_no_json_is_said(tmp_path):
    path = tmp_path / "broken.lvdash.json"
    path.write_text("{")

    assert "it is no JSON" in problems_of_dashboard(path)[0]


@pytest.fixture(scope="module")
def targets():
    command = [str(PYTHON), "-m", "emulators.databricks.deployment", str(FOLDER)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in printed.splitlines()]


def test_databricks_models_accept_its_bundle(targets):
    assert [target["target"] for target in targets] == ["dev", "prod"]
    assert [problems_of_target(target["resources"], wheel=None) for target in targets] == [[], []]


def test_nothing_is_deployed_without_a_warehouse_and_a_catalog(targets):
    assert [target["needs"] for target in targets] == [["catalog", "warehouse_id"]] * 2


def test_whoever_looks_sees_what_they_may_read_and_no_more(targets):
    for target in targets:
        assert target["resources"]["dashboards"]["lakehouse"]["embed_credentials"] is False
    assert "restricted." not in FILE.read_text()
