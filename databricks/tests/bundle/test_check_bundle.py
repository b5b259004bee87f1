"""What the check of the bundle finds wrong, and what it says."""

import copy
import json
import zipfile

import pytest

from check_bundle import Wheel, main, problems_of_notebook, problems_of_target, problems_of_wheel, report
from hub_stage import ROOT

ENTRY_POINTS = b"[console_scripts]\nfollow = lakehouse.cli:follow\nlost = lakehouse.cli:lost\n"
WHEEL = Wheel(
    "lakehouse",
    {
        "lakehouse-0.1.0.dist-info/entry_points.txt": ENTRY_POINTS,
        "lakehouse/cli.py": b"def follow(): pass\n",
    },
)
JOB = {
    "name": "follow",
    "parameters": [{"name": "feed", "default": ""}],
    "job_clusters": [{"job_cluster_key": "main", "new_cluster": {"spark_version": "18", "num_workers": 0}}],
    "tasks": [
        {
            "task_key": "follow",
            "job_cluster_key": "main",
            "python_wheel_task": {
                "package_name": "lakehouse",
                "entry_point": "follow",
                "named_parameters": {"feed": "{{job.parameters.feed}}"},
            },
        }
    ],
}


def problems(change):
    job = copy.deepcopy(JOB)
    change(job, job["tasks"][0])
    return problems_of_target({"jobs": {"follow": job}}, WHEEL)


def test_a_job_that_can_run_has_no_problem():
    assert problems(lambda job, task: None) == []


BROKEN = {
    "field": (lambda job, task: job.update(nmae="x"), "Unexpected field 'nmae'"),
    "number": (lambda job, task: job.update(max_concurrent_runs="many"), "many"),
    "reference": (lambda job, task: job.update(name="${var.naem}"), "${var.naem} stands for nothing"),
    "cluster": (lambda job, task: task.update(job_cluster_key="other"), "follow runs on the cluster other"),
    "upstream": (lambda job, task: task.update(depends_on=[{"task_key": "first"}]), "follow depends on first"),
    "package": (lambda job, task: task["python_wheel_task"].update(package_name="lake"), "the wheel is lakehouse"),
    "entry point": (lambda job, task: task["python_wheel_task"].update(entry_point="go"), "has follow, lost"),
    "function": (lambda job, task: task["python_wheel_task"].update(entry_point="lost"), "lakehouse.cli:lost, which"),
    "parameter": (lambda job, task: job.update(parameters=[]), "the job has no parameter feed"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_can_not_run_is_named_with_its_place(case):
    change, named = BROKEN[case]

    (problem,) = problems(change)

    assert problem.startswith("jobs.follow: ")
    assert named in problem


def test_a_contract_that_the_wheel_has_no_copy_of_is_named(tmp_path):
    (tmp_path / "trades.v1.schema.json").write_text("{}")
    dangling = Wheel("lakehouse", {"lakehouse/contracts/trades.v1.schema.json": b"../../contracts"})

    missing, other = problems_of_wheel(WHEEL, tmp_path), problems_of_wheel(dangling, tmp_path)

    assert missing == other == ["the wheel has no lakehouse/contracts/trades.v1.schema.json, or another one"]


@pytest.mark.parametrize(("text", "named"), [("import", "n.py is no Python"), ("x = 1\n", "n.py begins with 'x = 1'")])
def test_a_file_that_is_no_notebook_is_named(tmp_path, text, named):
    (tmp_path / "n.py").write_text(text)

    assert problems_of_notebook(tmp_path / "n.py")[0].startswith(named)


def test_each_target_is_reported_with_what_must_be_given():
    target = {"target": "dev", "needs": ["catalog"], "resources": {"jobs": {}}}

    lines = dict(report(ROOT / "databricks", WHEEL, [target]))

    assert lines["target dev: jobs 0; to be given: catalog"] == []


def test_the_check_ends_with_the_number_of_what_is_wrong_in_its_code(tmp_path, capsys):
    target = {"target": "dev", "needs": [], "resources": {"jobs": {"follow": JOB | {"nmae": "x"}}}}
    (tmp_path / "targets.jsonl").write_text(json.dumps(target))
    wheel = built(tmp_path)

    with pytest.raises(SystemExit, match="1"):
        main(ROOT / "databricks", wheel, tmp_path / "targets.jsonl")

    said = capsys.readouterr().out
    assert "wrong target dev: jobs 1; every value is there" in said
    assert "The Databricks CLI is not used" in said


def built(folder):
    path = folder / "lakehouse-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in WHEEL.files.items():
            archive.writestr(name, text)
    return path
