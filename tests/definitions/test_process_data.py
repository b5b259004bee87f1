"""Data Factory's pipeline of orders and items copies what the app's own timer would, to where it would."""

import re
from datetime import datetime

import pytest
import sqlglot
from sqlglot import expressions as sql

from shared.clients.sql.tables import ROW_VERSION
from shared.clients.storage.lake_files import CONTAINER
from shared.contracts import load_contract
from shared.domain.exports import export_folder, export_path
from shared.feeds.feed import SqlTable
from shared.feeds.shop.feed import FEED
from shared.flows.export_rows import ROWS
from shared.settings.keys import settings_of
from tests.architecture.tree import ROOT
from tests.definitions.expressions import evaluated
from tests.definitions.factory import activity, properties, rendered

PIPELINE = "process_data"
TABLES = [stream for stream in FEED.streams if isinstance(stream.destination, SqlTable)]
CHANGES = {
    "after_version": "0x0000000000000007",
    "to_version": "0x0000000000000029",
    "after_number": "7",
    "to_number": "41",
}
LOOKED_UP = {f"activity('LookUpChanges').output.firstRow.{name}": value for name, value in CHANGES.items()}
SCRIPT = (ROOT / "definitions/sql/export_watermarks.sql").read_text(encoding="utf-8")


def copy_of(stream):
    return activity(PIPELINE, f"Copy{stream.name.title()}").body


def parsed(text):
    (tree,) = sqlglot.parse(text, dialect="tsql", error_level=sqlglot.ErrorLevel.RAISE)
    return tree


def query_of_changes():
    return activity(PIPELINE, "LookUpChanges").body["typeProperties"]["source"]["sqlReaderQuery"]


@pytest.mark.parametrize("stream", TABLES, ids=lambda stream: stream.name)
def test_a_copy_reads_the_columns_of_the_contract_between_the_two_changes(stream):
    query = rendered(copy_of(stream)["typeProperties"]["source"]["sqlReaderQuery"]["value"], LOOKED_UP)

    tree = parsed(query)

    assert [column.name for column in tree.expressions] == [one.name for one in load_contract(stream.contract).columns]
    assert tree.find(sql.Table).sql("tsql") == f"dbo.[{stream.name}]"
    assert query.partition(" WHERE ")[2] == (
        f"{ROW_VERSION} > {CHANGES['after_version']} AND {ROW_VERSION} <= {CHANGES['to_version']}"
    )


@pytest.mark.parametrize("stream", TABLES, ids=lambda stream: stream.name)
def test_a_copy_writes_files_where_and_as_the_app_does(stream):
    body = copy_of(stream)
    (output,), form = body["outputs"], body["typeProperties"]["sink"]["formatSettings"]
    location = properties("dataset", output["referenceName"])["typeProperties"]["location"]

    prefix = rendered(form["fileNamePrefix"]["value"], LOOKED_UP)

    assert (location["fileSystem"], output["parameters"]["folder"]) == (CONTAINER, export_folder(stream.name))
    assert form["maxRowsPerFile"] == ROWS
    numbers = re.fullmatch(r"(\d+)-(\d+)[.]parquet", export_path(stream.name, 7, 41).rpartition("/")[2]).groups()
    assert [int(number) for number in prefix.split("-")] == [int(number) for number in numbers]


def test_changes_end_below_the_first_transaction_that_is_under_way():
    tree = parsed(query_of_changes())

    assert tree.named_selects == list(CHANGES)
    assert "CAST(MIN_ACTIVE_ROWVERSION() AS bigint) - 1" in query_of_changes()
    assert f"w.pipeline = '{PIPELINE}'" in query_of_changes()


def test_items_are_there_before_their_orders_and_the_watermark_moves_last():
    order = ["LookUpChanges", "CopyItems", "CopyOrders", "TakeIn", "MoveWatermark"]

    for place, name in enumerate(order):
        assert activity(PIPELINE, name).earlier == set(order[:place])


def test_the_watermark_moves_from_where_the_copy_began_to_where_it_ended():
    body = activity(PIPELINE, "MoveWatermark").body["typeProperties"]
    given = {name: one["value"] for name, one in body["storedProcedureParameters"].items()}
    answers = {"LookUpChanges": {"output": {"firstRow": {"after_number": 7, "to_number": 41}}}}

    moved = {name: evaluated(given[name]["value"], activity=answers) for name in ("after_number", "to_number")}

    assert (given["pipeline"], moved) == (PIPELINE, {"after_number": 7, "to_number": 41})
    declared = re.search(r"PROCEDURE dbo\.move_export_watermark\s+(.*?)\s+AS\n", SCRIPT, re.DOTALL)[1]
    assert re.findall(r"@(\w+)", declared) == list(given)
    assert body["storedProcedureName"] == "[dbo].[move_export_watermark]"


def test_the_script_makes_what_the_pipeline_reads_and_grants_it():
    granted = set(re.findall(r"GRANT (?:SELECT|EXECUTE) ON OBJECT::dbo\.(\w+)", SCRIPT))

    assert granted == {*(stream.name for stream in TABLES), "export_watermarks", "move_export_watermark"}
    table = parsed(re.search(r"CREATE TABLE .*?;", SCRIPT, re.DOTALL)[0])
    columns = {column.name for column in table.find_all(sql.ColumnDef)}
    assert {"pipeline", "position"} <= columns
    assert f"VALUES ('{PIPELINE}', 0x0000000000000000" in SCRIPT


def test_the_script_waits_for_the_tables_that_the_app_makes():
    waiting = re.search(r"IF OBJECT_ID\('dbo\.orders', 'U'\) IS NULL (.*?)ELSE\nBEGIN\n(.*?)END;", SCRIPT, re.DOTALL)

    assert re.findall(r"OBJECT_ID\('dbo\.(\w+)'", waiting[1]) == ["items"]
    assert set(re.findall(r"OBJECT::dbo\.(\w+)", waiting[2])) == {stream.name for stream in TABLES}
    assert "OBJECT::dbo.orders" not in SCRIPT.replace(waiting[2], "")


def test_the_run_that_takes_the_rows_in_is_one_of_the_shop_within_the_hour():
    body = activity(PIPELINE, "TakeIn").body["typeProperties"]
    given = {"since": "2026-12-01T00:00:00Z", "before": "2026-12-01T01:00:00Z"}

    handed = {
        name: value if isinstance(value, str) else evaluated(value["value"], pipeline={"parameters": given})
        for name, value in body["parameters"].items()
    }

    assert handed == {"feed": FEED.name, **given}
    assert set(handed) == set(properties("pipeline", body["pipeline"]["referenceName"])["parameters"])
    assert body["waitOnCompletion"] is True


def test_the_trigger_hands_on_each_hour_once_and_tries_it_three_times_more():
    found = properties("trigger", "ProcessDataTrigger")
    times, given = found["typeProperties"], found["pipeline"]["parameters"]
    outputs = {"windowStartTime": "2026-12-01T00:00:00.0000000Z", "windowEndTime": "2026-12-01T01:00:00.0000000Z"}

    hour = {name: evaluated(one["value"], trigger={"outputs": outputs}) for name, one in given.items()}

    assert (times["frequency"], times["interval"], times["retryPolicy"]["count"]) == ("Hour", 1, 3)
    assert times["maxConcurrency"] == 1, "two hours at once would copy the same changes"
    assert datetime.fromisoformat(times["startTime"]).minute == 0
    assert hour == {"since": "2026-12-01T00:00:00Z", "before": "2026-12-01T01:00:00Z"}


def test_the_apps_own_export_can_be_left_to_the_pipeline():
    setting = settings_of([FEED])["SQL_EXPORT_EVERY"]

    assert setting.read("") is None
    assert "SQL_EXPORT_EVERY" in properties("pipeline", PIPELINE)["description"]
