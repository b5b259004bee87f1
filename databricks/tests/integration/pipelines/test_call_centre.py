"""The call centre's conformed tables: each row as its definition says, however and in whichever order records came."""

from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from call_centre_stage import (
    FIRST,
    SECOND,
    TABLES,
    THIRD,
    CallCentreStage,
    Killed,
    at,
    attendance,
    frame,
    listed,
    survey,
    ura,
)

A_DAY = 24 * 60


@pytest.fixture
def stage(spark):
    return CallCentreStage(spark)


def built(spark, name, *rows, columns):
    table = TABLES[name]
    (stream,) = table.inputs
    made = table.build(**{stream: frame(spark, stream, *rows)}).to(table.schema)
    return listed(made, table, *columns)


def operations(stage, name):
    history = stage.spark.sql(f"DESCRIBE HISTORY {stage.lake.names.table('silver.' + name)}").sort("version")
    found = history.where("operation IN ('WRITE', 'MERGE', 'DELETE')").select("operation").collect()
    return [row[0] for row in found]


def test_days_and_months_are_those_of_the_clocks_of_sao_paulo_whatever_their_summer_time(spark):
    moments = {
        "before summer time": datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC),
        "its first moment": datetime(2018, 11, 4, 3, tzinfo=UTC),
        "in summer time": datetime(2019, 1, 1, 1, 59, 59, tzinfo=UTC),
        "new year": datetime(2019, 1, 1, 2, tzinfo=UTC),
        "its last hour": datetime(2019, 2, 17, 1, 59, 59, tzinfo=UTC),
        "the hour that came twice": datetime(2019, 2, 17, 2, 59, 59, tzinfo=UTC),
        "after summer time": datetime(2019, 2, 17, 3, tzinfo=UTC),
        "no summer time any more": datetime(2026, 12, 1, 2, 59, 59, tzinfo=UTC),
    }

    rows = [ura(name, moment, moment) for name, moment in moments.items()]
    found = built(spark, "tabe_ura_anlt", *rows, columns=("ID_CHAM", "DT_INIC", "DT_FIM", "CD_PERI"))

    assert {name: (begun, period) for name, begun, _, period in found} == {
        "before summer time": (date(2018, 11, 3), 201811),
        "its first moment": (date(2018, 11, 4), 201811),
        "in summer time": (date(2018, 12, 31), 201812),
        "new year": (date(2019, 1, 1), 201901),
        "its last hour": (date(2019, 2, 16), 201902),
        "the hour that came twice": (date(2019, 2, 16), 201902),
        "after summer time": (date(2019, 2, 17), 201902),
        "no summer time any more": (date(2026, 11, 30), 202611),
    }
    assert [ended for _, begun, ended, _ in found if begun != ended] == []


def test_the_reference_of_a_load_is_when_its_window_began(spark):
    rows = [ura("a"), ura("b", window_id="unknown"), ura("c", window_id="call_centre-20261399T000000Z")]

    frame_of = TABLES["tabe_ura_anlt"].build(ura=frame(spark, "ura", *rows))
    found = {row[0]: row[1] for row in frame_of.select("ID_CHAM", F.unix_timestamp("DH_REFE_CRGA")).collect()}

    assert found == {"a": int(at(0).timestamp()), "b": None, "c": None}


def test_an_attendance_is_passed_on_where_a_later_one_of_its_call_exists(spark):
    rows = [
        attendance("a", "2", 5, "Cartões"),
        attendance("a", "1", 0, "Cartões"),
        attendance("a", "4", 9, "Cobrança"),
        attendance("a", "3", 9, "Cartões"),
        attendance("b", "5", 7, "Cartões"),
    ]

    found = built(spark, "tabe_calls", *rows, columns=("ID_CHAM", "ID_ATEN", "IN_TRAF", "IN_TRAF_INDV"))

    assert found == [
        ("a", "1", True, True),
        ("a", "2", True, True),
        ("a", "3", True, False),
        ("a", "4", False, False),
        ("b", "5", False, False),
    ]


def test_the_latest_survey_of_a_call_counts_and_the_others_are_kept_beside(spark):
    rows = [survey("a", "1", 9, 2), survey("a", "3", 5, 9), survey("a", "2", 9, 4), survey("b", "4", 0, 1)]

    counting = built(spark, "tabe_pesq_ura", *rows, columns=("ID_CHAM", "ID_PESQ", "VL_NOTA", "CD_PERI"))
    others = built(spark, "surveys_superseded", *rows, columns=("ID_CHAM", "ID_PESQ", "VL_NOTA"))

    assert counting == [("a", "2", 4, 202611), ("b", "4", 1, 202611)]
    assert others == [("a", "1", 2), ("a", "3", 9)]


def test_a_late_attendance_makes_the_others_of_its_call_anew_and_their_windows_are_told(stage):
    gold = stage.gold()
    stage.put("calls", attendance("a", "1", 0), attendance("b", "3", 1))
    gold.run_pass(FIRST)
    stage.put("calls", attendance("a", "2", 5, window_id=SECOND))

    touched = gold.run_pass(SECOND)

    assert stage.rows("tabe_calls", "ID_ATEN", "IN_TRAF", "IN_TRAF_INDV", "window_id") == [
        ("1", True, True, FIRST),
        ("2", False, False, SECOND),
        ("3", False, False, FIRST),
    ]
    assert operations(stage, "tabe_calls") == ["WRITE", "MERGE"]
    assert touched == {FIRST, SECOND}


def test_new_calls_are_appended_and_what_says_nothing_new_writes_nothing(stage):
    gold = stage.gold()
    stage.put("calls", attendance("a", "1", 0), attendance("a", "2", 5))
    gold.run_pass(FIRST)
    stage.put("calls", attendance("b", "3", 1), attendance("b", "4", 6, "Cobrança"))
    gold.run_pass(FIRST)
    gold.note()

    again = stage.gold().run_pass(FIRST)

    assert operations(stage, "tabe_calls") == ["WRITE", "WRITE"]
    assert again == frozenset()
    assert stage.everything() == stage.built()


def test_attendances_that_go_or_move_in_time_make_the_rest_of_their_call_right(stage):
    gold = stage.gold()
    stage.put("calls", *[attendance("a", str(number), 5 * number) for number in range(4)], attendance("b", "9", 2))
    gold.run_pass(FIRST)

    stage.lake.delete("silver.calls", "id_atendimento = '3'")
    stage.change("calls", attendance("a", "1", A_DAY, "Cobrança"))
    gold.run_pass(FIRST)

    assert stage.rows("tabe_calls", "ID_ATEN", "IN_TRAF", "IN_TRAF_INDV") == [
        ("0", True, True),
        ("1", False, False),
        ("2", True, False),
        ("9", False, False),
    ]


def test_a_pass_reads_no_files_of_other_times(stage):
    gold = stage.gold()
    for day in range(3):
        stage.put(
            "calls", attendance(f"call {day}", "1", 10 * day * A_DAY), attendance(f"other {day}", "2", 10 * day * A_DAY)
        )
        gold.run_pass(FIRST)
    for name, day in (("calls", "data_hora_inicio"), ("tabe_calls", "DH_INIC")):
        for path in files_but(stage, name, f"{day} BETWEEN '2026-12-01' AND '2026-12-05'"):
            Path(unquote(urlsplit(path).path)).unlink()

    stage.put("calls", attendance("call 1", "3", 10 * A_DAY + 5))
    gold.run_pass(FIRST)

    kept = stage.lake.read("silver.tabe_calls").where("DH_INIC BETWEEN '2026-12-01' AND '2026-12-05'")
    assert listed(kept, TABLES["tabe_calls"], "ID_CHAM", "ID_ATEN", "IN_TRAF") == [
        ("call 1", "1", True),
        ("call 1", "3", False),
        ("other 1", "2", False),
    ]


def files_but(stage, name, condition):
    found = stage.lake.read(f"silver.{name}").select(
        F.col("_metadata.file_path").alias("path"), F.expr(condition).alias("near")
    )
    return [row["path"] for row in found.groupBy("path").agg(F.max("near").alias("near")).where("NOT near").collect()]


RECORDS = [
    ("ura", ura("a")),
    ("calls", attendance("a", "1", 0)),
    ("calls", attendance("a", "2", 5, window_id=SECOND)),
    ("calls", attendance("a", "3", 5, "Cobrança", window_id=THIRD)),
    ("calls", attendance("b", "4", 2)),
    ("surveys", survey("a", "1", 20, 10)),
    ("surveys", survey("a", "2", 30, 1, window_id=SECOND)),
    ("surveys", survey("a", "3", 30, 5, window_id=THIRD)),
    ("surveys", survey("c", "4", 0, 7)),
]
ENDS = ("pass", "killed before tabe_calls", "killed before surveys_superseded", "rerun")


@pytest.mark.timeout(900)
def test_any_order_of_arrival_and_any_kill_give_the_same_tables(spark):
    @settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
    @given(st.permutations(range(len(RECORDS))), st.integers(1, len(RECORDS) - 1), st.sampled_from(ENDS))
    def holds(order, cut, end):
        stage = CallCentreStage(spark)
        arrive(stage, order[:cut])
        pass_until(stage, end)
        arrive(stage, order[cut:])

        stage.gold().run_pass(THIRD)

        assert stage.everything() == stage.built()

    holds()


def arrive(stage, numbers):
    for stream in ("surveys", "calls", "ura"):
        rows = [RECORDS[number][1] for number in numbers if RECORDS[number][0] == stream]
        if rows:
            stage.put(stream, *rows)


def pass_until(stage, end):
    if end == "rerun":
        stage.gold().rerun(FIRST)
        return
    with suppress(Killed):
        stage.gold(dies_before=end.removeprefix("killed before ")).run_pass(THIRD)


def test_a_rerun_makes_a_windows_rows_and_their_groups_right_whatever_became_of_them(stage):
    for stream, row in RECORDS:
        stage.put(stream, row)
    stage.gold().run_pass(THIRD)
    right = stage.everything()
    stage.lake.delete("silver.tabe_ura_anlt", "true")
    stage.lake.update("silver.tabe_calls", F.col("ID_ATEN") == "1", {"IN_TRAF": F.lit(False)})
    stage.lake.update("silver.tabe_calls", F.col("ID_ATEN") == "4", {"ID_CHAM": F.lit("z")})
    stage.lake.update("silver.surveys_superseded", F.col("ID_PESQ") == "1", {"ID_PESQ": F.lit("z")})

    touched = stage.gold().rerun(FIRST)

    assert stage.everything() == right == stage.built()
    assert FIRST in touched
