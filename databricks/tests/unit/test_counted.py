"""Which stream a table's rows are counted for, and what must hold of them."""

from lakehouse.counting.counted import equations_of, stream_of
from lakehouse.pipelines.call_centre import PIPELINE
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Column, Table


def table(name, followed):
    columns = (Column("id", "long", ""), Column("window_id", "string", ""))
    return Table(name, "", columns, ("id",), PerRow(followed), (followed,), lambda **inputs: inputs[followed], sql=name)


def test_a_table_of_tables_is_counted_for_the_stream_that_those_are_made_of():
    tables = (table("third", "second"), table("second", "first"), table("first", "visits"))
    pipeline = Pipeline("shop", tables)

    found = {one.name: stream_of(one, pipeline) for one in tables}

    assert found == dict.fromkeys(("first", "second", "third"), "visits")
    assert set(equations_of("visits", pipeline).published) == {"first", "second", "third"}


def test_a_table_that_is_called_as_its_lookup_is_made_of_that():
    one = table("stores", "stores")

    assert stream_of(one, Pipeline("shop", (one,))) == "stores"


def test_every_row_of_the_call_centres_streams_is_accounted_for_in_silver():
    balances = {stream: list(equations_of(stream, PIPELINE).balances) for stream in ("ura", "calls", "surveys")}

    assert balances == {
        "ura": [("tabe_ura_anlt",)],
        "calls": [("tabe_calls",)],
        "surveys": [("tabe_pesq_ura", "surveys_superseded")],
    }
    assert set(equations_of("ura", PIPELINE).layers.values()) >= {"silver"}
