import pytest

from emulators.databricks.bundle import read_bundle
from emulators.databricks.declaration import merged
from emulators.databricks.definitions import BundleError

ROOT = """
bundle: {name: lake}
include: [resources/*.yml]
variables:
  root: {default: /lake}
  source: {description: no default}
  table: {default: "${var.root}/${bundle.target}"}
targets:
  local: {variables: {source: kafka}}
  prod:
    variables: {source: {default: eventhubs}}
    resources: {jobs: {trades: {max_concurrent_runs: 2, tasks: [{task_key: a, timeout_seconds: 9}]}}}
"""
JOB = """
resources:
  jobs:
    trades:
      name: trades_${bundle.target}
      timeout_seconds: ${var.limit}
      parameters: [{name: source, default: "${var.source}"}, {name: table, default: "${var.table}"}]
      tasks:
        - task_key: a
          python_wheel_task: {package_name: lakehouse, entry_point: trades}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "resources").mkdir()
    write(tmp_path, "databricks.yml", ROOT)
    write(tmp_path, "resources/trades.job.yml", JOB.replace("${var.limit}", "60"))
    return tmp_path


def write(folder, name, text):
    (folder / name).write_text(text)


def only_job(folder, target="local", **given):
    (job,) = read_bundle(folder, target, given).jobs.values()
    return job


def test_a_job_has_the_values_of_its_target(folder):
    job = only_job(folder)

    assert job.definition.name == "trades_local"
    assert [one.default for one in job.definition.parameters] == ["kafka", "/lake/local"]


def test_a_target_may_lay_values_over_a_job_and_its_tasks(folder):
    definition = only_job(folder, "prod").definition

    assert definition.max_concurrent_runs == 2
    assert definition.tasks[0].timeout_seconds == 9
    assert definition.tasks[0].python_wheel_task.entry_point == "trades"


def test_a_given_variable_goes_over_the_files(folder):
    assert only_job(folder, root="/tmp/lake").definition.parameters[1].default == "/tmp/lake/local"


def test_a_jobs_id_outlives_a_restart_and_a_change_of_target(folder):
    assert only_job(folder).job_id == only_job(folder, "prod").job_id > 0


def test_a_number_may_come_from_a_variable(folder):
    write(folder, "databricks.yml", ROOT.replace("  root:", '  limit: {default: "120"}\n  root:'))
    write(folder, "resources/trades.job.yml", JOB)

    assert only_job(folder).definition.timeout_seconds == 120


BROKEN = {
    "target": (ROOT.replace("  local:", "  laptop:"), "no target 'local'; it has laptop, prod"),
    "reference": (ROOT, r"\$\{var.limit\} stands for nothing here"),
    "no value": (
        ROOT.replace("source: kafka", "root: x"),
        "variables source of local: give --variable source=",
    ),
    "circle": (ROOT.replace("default: /lake", 'default: "${var.table}"'), "stands for itself: var.table -> var"),
    "declared": (ROOT.replace("source: kafka", "sauce: kafka"), "declares no variable sauce"),
    "yaml": (ROOT + "\n  : :", "databricks.yml can't be read"),
    "kind": (
        ROOT + "resources: {pipelines: {p: {name: p}}}",
        "resources has pipelines; nothing is known here but",
    ),
    "schema": (ROOT + "resources: {schemas: {s: {name: s}}}", "resources.schemas.s lacks catalog_name"),
    "plain": (ROOT.replace("default: /lake", "default: [a]"), "root holds a mapping or list: declare it with type"),
    "complex": (ROOT.replace("default: /lake", "default: a, type: complex"), "root is complex; a text can't be"),
    "within": (ROOT.replace("default: /lake", "default: [a], type: complex"), "can't stand within a text"),
    "list": ("- 1", "no mapping at its top"),
    "include": (ROOT.replace("resources/*.yml", "jobs.yml"), "includes jobs.yml, which is not there"),
    "field": (ROOT, r"'trades' can't be read.*timeout_seconds"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_bundle_that_cannot_be_is_refused_by_name(folder, case):
    root, named = BROKEN[case]
    write(folder, "databricks.yml", root)
    limit = {"reference": "${var.limit}", "field": "soon"}.get(case, "1")
    write(folder, "resources/trades.job.yml", JOB.replace("${var.limit}", limit))

    with pytest.raises(BundleError, match=named):
        read_bundle(folder, "local")


DASHBOARD = """
bundle: {name: looks}
variables: {warehouse: {default: w1}}
resources:
  dashboards:
    lake: {display_name: Lake, file_path: lake.lvdash.json, warehouse_id: "${var.warehouse}"}
targets:
  local: {}
  mine: {mode: development}
"""


@pytest.fixture
def looks(tmp_path):
    write(tmp_path, "databricks.yml", DASHBOARD)
    write(tmp_path, "lake.lvdash.json", "{}")
    return tmp_path


@pytest.mark.parametrize(("target", "name"), [("local", "Lake"), ("mine", "[dev developer] Lake")])
def test_a_dashboard_is_read_with_its_values_and_the_name_of_its_target(looks, target, name):
    (dashboard,) = read_bundle(looks, target).resources["dashboards"].values()

    assert (dashboard["display_name"], dashboard["warehouse_id"]) == (name, "w1")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("file_path: lake", "file_path: pond"), "file_path is pond.lvdash.json, which is not there"),
        ((', warehouse_id: "${var.warehouse}"', ""), "resources.dashboards.lake lacks warehouse_id"),
        (("Lake, ", "Lake, embed_credentials: true, "), "with embed_credentials can't be in a target that sets run_as"),
    ],
)
def test_a_dashboard_that_cannot_be_is_refused_by_name(looks, change, named):
    text = DASHBOARD.replace("local: {}", "local: {run_as: {user_name: somebody}}")
    write(looks, "databricks.yml", text.replace(*change))

    with pytest.raises(BundleError, match=named):
        read_bundle(looks, "local")


def test_lists_without_keys_go_one_after_the_other():
    assert merged({"a": [1], "b": 1}, {"a": [2], "c": 3}) == {"a": [1, 2], "b": 1, "c": 3}


RESOURCES = """
resources:
  schemas: {bronze: {name: "${var.root}bronze", catalog_name: main}}
  volumes: {kept: {name: kept, catalog_name: main, schema_name: "${resources.schemas.bronze.name}"}}
"""


def test_a_resource_may_name_a_field_of_another_one(folder):
    write(folder, "resources/schemas.yml", RESOURCES)

    resources = read_bundle(folder, "local", {"root": "ann_"}).resources

    assert resources["volumes"]["kept"]["schema_name"] == resources["schemas"]["bronze"]["name"] == "ann_bronze"


def test_a_complex_variable_takes_the_place_of_a_mapping(folder):
    limits = 'limits: {type: complex, default: {timeout_seconds: 7, task_key: a, libraries: ["${var.root}"]}}'
    write(folder, "databricks.yml", ROOT.replace("  root:", f"  {limits}\n  root:"))
    write(folder, "resources/trades.job.yml", "resources: {jobs: {trades: {name: t, tasks: ['${var.limits}']}}}")

    job = only_job(folder)

    assert job.definition.tasks[0].timeout_seconds == 7
    assert job.settings["tasks"][0]["libraries"] == ["/lake"]


def test_all_variables_without_a_value_are_named_together(folder):
    write(folder, "databricks.yml", ROOT.replace("default: /lake", "description: none").replace("source: kafka", ""))

    with pytest.raises(BundleError, match=r"variables root, source of local: give --variable root=… --variable source"):
        read_bundle(folder, "local")
