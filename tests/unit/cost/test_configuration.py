import json
import re

import pytest

from cost.__main__ import main
from cost.configuration import FEEDS, Deployment, activity_runs, case_of, settings_of, timer_ticks
from cost.document import DOCUMENT, documented
from cost.prices import read_prices
from tests.architecture.tree import text


def declared(name):
    """Give the default of a variable of the infrastructure."""
    block = re.search(rf'variable "{name}" {{\n(.*?)\n}}', text("infra/variables.tf"), re.DOTALL)[1]
    return json.loads(re.search(r"default +=(.*)", block)[1])


@pytest.mark.parametrize(
    "name",
    ["plan", "instance_memory", "throughput_units", "partitions", "capture", "private", "cosmos", "sql_pause_after"],
)
def test_the_default_is_what_azd_makes(name):
    assert getattr(Deployment(), name) == declared(name)


def test_the_feeds_are_those_that_azd_runs():
    assert list(FEEDS) == declared("feeds")


def test_the_database_is_the_one_of_the_infrastructure():
    case = case_of(settings_of({}), Deployment())

    assert f"min_capacity                = {case.least_vcores}" in text("infra/sql.tf")
    assert f"max_size_gb                 = {case.sql_gigabytes}" in text("infra/sql.tf")


def test_the_passes_of_the_lakehouse_are_those_of_the_bundle():
    case = case_of(settings_of({}), Deployment())

    assert f'default: "{case.pass_every}"'.replace('"0:', '"00:') in text("databricks/databricks.yml")


def test_every_timer_is_counted():
    written = sum(text(name).count("@bp.timer_trigger(") for name in ("blueprints/daily.py", "blueprints/ingestion.py"))

    assert written >= 5
    assert timer_ticks("0 * * * * *") == 4 * 60 + 4 * 12
    assert timer_ticks("0 */5 * * * *") == 3 * 60 + 5 * 12


def test_a_window_that_data_factory_opens_is_some_activity_runs():
    assert 4 <= activity_runs() <= 12


def test_settings_of_a_file_that_names_nothing_are_read(capsys, tmp_path):
    file = tmp_path / "local.settings.json"
    file.write_text(text("local.settings.sample.json"))

    assert main(["--settings", str(file), "--feeds", "trades", "--set", "TRADES_WINDOW_EVERY=04:00:00"]) == 0

    assert "A month costs" in capsys.readouterr().out


def test_a_setting_that_is_wrong_is_named(capsys):
    assert main(["--set", "TRADES_WINDOW_LENGTH=soon"]) == 2

    assert "TRADES_WINDOW_LENGTH" in capsys.readouterr().err


def test_the_chapter_on_costs_is_what_the_model_says():
    written = DOCUMENT.read_text(encoding="utf-8")

    assert documented(written, read_prices()) == written, "make cost ARGS=--document"
