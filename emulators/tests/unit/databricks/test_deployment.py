"""A bundle printed as it would be deployed."""

import json
from pathlib import Path

import pytest

from emulators.databricks.deployment import main

BUNDLE = str(Path(__file__).parents[2] / "integration/databricks/bundle")


def test_each_target_is_shown_with_what_it_needs_from_outside(capsys):
    main([BUNDLE, "local", "open"])

    local, unset = map(json.loads, capsys.readouterr().out.splitlines())
    sources = [one["resources"]["jobs"]["queued"]["job_clusters"][0]["new_cluster"] for one in (local, unset)]
    assert [(one["target"], one["needs"]) for one in (local, unset)] == [("local", []), ("open", ["source"])]
    assert [cluster["spark_env_vars"]["SOURCE"] for cluster in sources] == ["kafka", "<source>"]


def test_without_a_target_all_are_shown(capsys):
    main([BUNDLE])

    targets = [json.loads(line)["target"] for line in capsys.readouterr().out.splitlines()]
    assert targets == ["open", "local", "prod"]


def test_a_target_that_is_not_there_ends_with_the_reason():
    with pytest.raises(SystemExit, match="no target 'laptop'"):
        main([BUNDLE, "laptop"])
