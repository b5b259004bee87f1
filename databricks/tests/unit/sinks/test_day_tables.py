"""The call centre's day tables in SQL: under their names, a day's rows beside each other, in keys that are bounded."""

import pytest

from lakehouse.gold import visao_assistentes, visao_ura_calls
from lakehouse.sinks.ddl import ddl
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.tables import sql_table

TABLES = {
    visao_assistentes.TABLE: [
        '"DT_REFE" date NOT NULL',
        '"DS_AREA" nvarchar(14) COLLATE Latin1_General_100_BIN2 NOT NULL',
        '"PC_RECH" decimal(9, 4),',
        'CONSTRAINT "visao_assistentes_key" PRIMARY KEY ("DT_REFE", "DS_AREA", "ID_ASST")',
    ],
    visao_ura_calls.TABLE: [
        '"ID_FILA" nvarchar(16) COLLATE Latin1_General_100_BIN2 NOT NULL',
        '"NR_MED_OPCA_DERV" decimal(9, 4),',
        'CONSTRAINT "visao_ura_calls_key" PRIMARY KEY ("DT_REFE", "ID_FILA")',
    ],
}


@pytest.mark.parametrize(("table", "lines"), TABLES.items(), ids=[table.name for table in TABLES])
def test_a_day_table_is_made_in_azure_sql_with_its_day_first_in_the_key(table, lines):
    (made,) = ddl(sql_table(table, length_of), "tsql")

    assert made.startswith(f"IF OBJECT_ID('dbo.{table.name}', 'U') IS NULL")
    assert [line for line in lines if line not in made] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_sqlite_refuses_what_azure_sql_would_refuse(table):
    (made,) = ddl(sql_table(table, length_of), "sqlite")

    assert made.count("CHECK") == len(table.columns)
