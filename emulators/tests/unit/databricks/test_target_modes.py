"""What a target's mode and presets make of its resources, as the Databricks CLI does it."""

import pytest

from emulators.databricks.bundle import read_bundle
from emulators.databricks.definitions import BundleError
from emulators.databricks.target_modes import short_name

RESOURCES = """
resources:
  jobs:
    plain: {name: plain, tasks: []}
    stated:
      name: stated
      max_concurrent_runs: 20
      queue: {enabled: false}
      tags: {dev: mine}
      schedule: {quartz_cron_expression: "0 0 3 * * ?", timezone_id: UTC}
      tasks: []
    open: {name: open, schedule: {quartz_cron_expression: x, timezone_id: UTC, pause_status: UNPAUSED}, tasks: []}
  schemas:
    bronze: {name: bronze, catalog_name: main}
"""


@pytest.fixture
def deployed(tmp_path):
    def read(target, more=""):
        root = f"bundle: {{name: lake}}\ntargets: {{t: {target}}}\n{more}{RESOURCES}"
        (tmp_path / "databricks.yml").write_text(root)
        return read_bundle(tmp_path, "t", user="Ann.Lee@example.com").resources

    return read


def test_development_marks_jobs_with_the_users_name_and_pauses_their_schedules(deployed):
    jobs = deployed("{mode: development}")["jobs"]

    assert [job["name"] for job in jobs.values()] == [f"[dev ann_lee] {key}" for key in jobs]
    assert (jobs["plain"]["tags"], jobs["stated"]["tags"]) == ({"dev": "ann_lee"}, {"dev": "mine"})
    assert jobs["stated"]["schedule"]["pause_status"] == "PAUSED"
    assert jobs["open"]["schedule"]["pause_status"] == "UNPAUSED"


def test_development_allows_four_runs_of_a_job_that_states_no_number(deployed):
    jobs = deployed("{mode: development}")["jobs"]

    assert (jobs["plain"]["max_concurrent_runs"], jobs["stated"]["max_concurrent_runs"]) == (4, 20)


def test_an_empty_prefix_does_not_take_away_the_one_of_development(deployed):
    jobs = deployed("{mode: development, presets: {name_prefix: ''}}")["jobs"]

    assert jobs["plain"]["name"] == "[dev ann_lee] plain"


def test_a_target_may_state_its_own_prefix_with_the_users_name(deployed):
    target = "{mode: development, presets: {name_prefix: '${workspace.current_user.short_name}_'}}"

    assert deployed(target)["jobs"]["plain"]["name"] == "ann_lee_plain"


def test_a_target_without_a_mode_changes_no_name_and_pauses_nothing(deployed):
    jobs = deployed("{}")["jobs"]

    assert [job["name"] for job in jobs.values()] == ["plain", "stated", "open"]
    assert "pause_status" not in jobs["stated"]["schedule"]


def test_a_job_that_does_not_speak_of_its_queue_has_one(deployed):
    jobs = deployed("{}")["jobs"]

    assert (jobs["plain"]["queue"], jobs["stated"]["queue"]) == ({"enabled": True}, {"enabled": False})


def test_schemas_have_the_prefix_too_unless_the_bundle_says_no(deployed):
    marked = deployed("{mode: development}")["schemas"]["bronze"]["name"]
    plain = deployed("{mode: development}", "experimental: {skip_name_prefix_for_schema: true}\n")

    assert (marked, plain["schemas"]["bronze"]["name"]) == ("dev_ann_lee_bronze", "bronze")


def test_a_jobs_runs_have_the_identity_that_the_target_states(deployed):
    target = "{mode: production, workspace: {root_path: /Workspace/x}, run_as: {service_principal_name: p}}"

    assert deployed(target)["jobs"]["plain"]["run_as"] == {"service_principal_name": "p"}


BROKEN = {
    "mode": ("{mode: staging}", "mode is 'staging'"),
    "prefix": ("{mode: development, presets: {name_prefix: shared_}}", "must hold the user's name"),
    "unpaused": ("{mode: development, presets: {trigger_pause_status: UNPAUSED}}", "can't set presets.trigger_pause"),
    "kind": ("{presets: {trigger_pause_status: sometimes}}", "presets can't be read"),
    "root": ("{mode: production}", "must set workspace.root_path"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_target_that_the_cli_refuses_is_refused(deployed, case):
    target, named = BROKEN[case]

    with pytest.raises(BundleError, match=named):
        deployed(target)


@pytest.mark.parametrize(("user", "short"), [("ann@e.com", "ann"), ("Ann.Lee+x@e.com", "ann_lee_x"), ("ci", "ci")])
def test_a_users_short_name_has_letters_digits_and_underscores_only(user, short):
    assert short_name(user) == short
