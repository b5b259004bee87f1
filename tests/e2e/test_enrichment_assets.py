"""Lookups while the service of assets fails: the window's own, else the last good one, else a failure by name."""

import json

import pytest

from tests.e2e.running_app import secrets_in_logs

BY_ANOTHERS = {
    "empty": "no assets at all",
    "wrong key": "answered 403: ",
    "500": "answered 500: ",
    "garbled": "The lookup assets could not be made, ",
}


@pytest.fixture(scope="module")
def told(lookups):
    return lookups.result()


def test_without_any_lookup_the_enrichment_fails_by_name_and_starts_no_run(enrichment, told):
    run = told["none"].run

    assert (run["state"], run["run_id"]) == ("failed", 0)
    assert run["message"].startswith("There is no lookup assets, and none could be made: ")
    assert "no assets at all" in run["message"]
    assert enrichment.in_databricks(told["none"].window) == []


def test_assets_that_fail_in_passing_are_asked_for_again_and_make_the_windows_own_lookup(told):
    troubled = told["troubled"]

    assert (troubled.run["state"], troubled.run["lookups"]["assets"]) == ("succeeded", troubled.own)
    assert troubled.run["lookup_note"] == ""


@pytest.mark.parametrize("case", BY_ANOTHERS)
def test_where_assets_fail_the_last_good_lookup_is_used_and_the_run_says_so(told, case):
    looked = told[case]

    assert (looked.run["state"], looked.run["lookups"]["assets"]) == ("succeeded", told["troubled"].own)
    assert looked.run["lookups"]["assets"] == looked.newest
    assert looked.run["lookups"]["assets"] in looked.run["lookup_note"]
    assert BY_ANOTHERS[case] in looked.run["lookup_note"]


@pytest.mark.parametrize("case", ["500", "garbled"])
def test_assets_have_their_twenty_seconds_and_no_more(enrichment, told, case):
    looked = told[case]
    (run,) = enrichment.in_databricks(looked.window)

    assert json.loads(run["parameters"]["lookups"]) == {"assets": told["troubled"].own}


def test_no_log_shows_a_key(enrichment):
    state = enrichment.app.running.state
    keys = [path.read_text(encoding="utf-8") for path in (state.topic_key, state.assets_key)]

    assert secrets_in_logs(enrichment.app, *keys) == []
