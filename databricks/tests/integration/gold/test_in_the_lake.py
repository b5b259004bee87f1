"""The call centre's day tables on Delta and in SQL: which days are written, which files are read, what a rerun does."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pyspark.sql import functions as F

from call_rows import SCHEMAS, attendance, frame, menu, survey
from lakehouse.gold import visao_assistentes, visao_ura_calls
from lakehouse.lake.tables import Lake
from lakehouse.lookups import Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.sinks import jdbc
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.sql import SqlSink

WINDOW = "call_centre-20261123T100000Z"
AGENTS, QUEUES = visao_assistentes.TABLE, visao_ura_calls.TABLE
FIRST, SECOND, THIRD = (date(2026, month, 23) for month in (2, 6, 11))


class House:
    """Conformed tables that a test fills, the day tables of them, and the database that these are published to."""

    def __init__(self, spark, folder):
        self.spark, self.database = spark, folder / "sql.db"
        self.lake = Lake(spark)
        for name, schema in SCHEMAS.items():
            self.lake.create(f"silver.{name}", schema)

    def gold(self, **options):
        """Begin a process: what a former one remembered is forgotten."""
        self.lake = Lake(self.spark)
        database = jdbc.database(f"jdbc:sqlite:{self.database}")
        sql = SqlSink(self.spark, database, length_of, now=lambda: datetime.now(UTC), sleep=lambda _: None, waits=())
        sql.prepare([AGENTS, QUEUES])
        pipeline = Pipeline("call_centre", (AGENTS, QUEUES)).given(options)
        gold = Gold(self.lake, pipeline, Lookups(self.spark, None, {}), (sql,))
        gold.prepare()
        return gold

    def add(self, name, *rows):
        self.lake.append(f"silver.{name}", frame(self.spark, name, rows))

    def held(self, table, *names):
        """Give columns of what the table holds, after a look whether SQL holds the same."""
        columns = [column.name for column in table.columns]
        found = sorted(tuple(map(as_in_sql, row)) for row in self.lake.read(table.lake_name).select(*columns).collect())
        with closing(sqlite3.connect(self.database)) as connection:
            published = sorted(connection.execute(f"SELECT {', '.join(columns)} FROM {table.sql}").fetchall())
        assert published == found
        rows = [dict(zip(columns, row, strict=True)) for row in found]
        return [tuple(row[name] for name in names) for row in rows]

    def files(self, name):
        """Give the days or times that lie in each file."""
        column = "DT_REFE" if name.startswith("gold.") else "DT_ENVI" if "pesq" in name else "DH_INIC"
        found = self.lake.read(name).select(F.col("_metadata.file_path"), F.to_date(column)).distinct().collect()
        return dict(map(tuple, found))


def as_in_sql(value):
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


@pytest.fixture
def house(spark, tmp_path):
    made = House(spark, tmp_path)
    for day in (FIRST, SECOND, THIRD):
        call = f"of {day}"
        made.add("tabe_ura_anlt", menu(call, f"{day} 12:00:00", IN_DERV_ATEN=True))
        made.add("tabe_calls", attendance(call, f"{day} 12:01:00"))
        made.add("tabe_pesq_ura", survey(call, f"{day} 13:00:00", 6))
    yield made
    for name in (*(f"silver.{name}" for name in SCHEMAS), AGENTS.lake_name, QUEUES.lake_name):
        spark.sql(f"DROP TABLE IF EXISTS {name}")


def test_late_rows_replace_their_days_alone_in_delta_and_in_sql_and_read_no_files_of_other_times(house):
    gold = house.gold()
    gold.run_pass(WINDOW)
    before = {table: house.files(table.lake_name) for table in (AGENTS, QUEUES)}
    read = {path: day for name in SCHEMAS for path, day in house.files(f"silver.{name}").items()}
    for path in (path for path, day in read.items() if day != SECOND):
        Path(unquote(urlsplit(path).path)).unlink()

    house.add("tabe_calls", attendance(f"of {SECOND}", f"{SECOND} 12:06:00", agent=2))
    house.add("tabe_pesq_ura", survey("of nobody yet", f"{SECOND} 13:00:00", 1))
    gold.run_pass(WINDOW)

    assert house.held(AGENTS, "DT_REFE", "ID_ASST", "QT_PRMT") == [
        (str(FIRST), 1, 1),
        (str(SECOND), 1, 1),
        (str(SECOND), 2, 1),
        (str(THIRD), 1, 1),
    ]
    assert house.held(QUEUES, "DT_REFE", "NR_MEDI_TEMP_CHAM") == [
        (str(FIRST), 360.0),
        (str(SECOND), 660.0),
        (str(THIRD), 360.0),
    ]
    for table, files in before.items():
        now = house.files(table.lake_name)
        assert {day for path, day in files.items() if path not in now} == {SECOND}
        assert {day for path, day in now.items() if path not in files} == {SECOND}


def test_days_that_a_pass_leaves_are_brought_up_by_the_next_one_with_all_that_came(house):
    gold = house.gold()
    gold.run_pass(WINDOW, without_days=True)
    left = house.held(QUEUES, "DT_REFE")

    gold.run_pass(WINDOW)

    assert left == []
    assert house.held(QUEUES, "DT_REFE") == [(str(FIRST),), (str(SECOND),), (str(THIRD),)]


def test_a_day_that_lost_its_calls_has_no_rows_in_delta_and_in_sql(house):
    gold = house.gold()
    gold.run_pass(WINDOW)
    for name in ("tabe_ura_anlt", "tabe_calls"):
        house.lake.delete(f"silver.{name}", f"ID_CHAM = 'of {SECOND}'")

    gold.run_pass(WINDOW)

    assert house.held(AGENTS, "DT_REFE") == house.held(QUEUES, "DT_REFE") == [(str(FIRST),), (str(THIRD),)]


def test_a_rerun_makes_all_days_anew_by_the_thresholds_of_its_target(house):
    house.gold().run_pass(WINDOW)
    by_default = house.held(AGENTS, "QT_PRMT", "QT_NTRO", "VL_NPS", "VL_NPS_PADRAO")

    house.gold(nps_promoter_from=8).rerun(WINDOW)

    assert by_default == [(1, 0, 100.0, -100.0)] * 3
    assert house.held(AGENTS, "QT_PRMT", "QT_NTRO", "VL_NPS", "VL_NPS_PADRAO") == [(0, 1, 0.0, -100.0)] * 3


def test_what_was_made_once_is_made_no_second_time(house):
    gold = house.gold()
    gold.run_pass(WINDOW)
    gold.note()
    before = {table.name: house.lake.version(table.lake_name) for table in (AGENTS, QUEUES)}

    again = house.gold()
    again.run_pass(WINDOW)

    assert {table.name: house.lake.version(table.lake_name) for table in (AGENTS, QUEUES)} == before
