"""Which gold tables can be tables in Azure SQL."""

import pytest

from lakehouse.pipelines.table import Column
from lakehouse.sinks.ddl import ddl
from lakehouse.sinks.lengths import UnboundedText, length_of
from lakehouse.sinks.tables import UnfitTable, sql_table, sql_tables
from sql_tables import TRADES, table

REFUSED = [
    (table("id string", "id"), "Things: column 'id': nothing bounds this text"),
    (table("id string(851)", "id"), "its key id takes 1702 bytes; a primary key takes 1700 at most"),
    (table("id string(5000)", "id"), "key column 'id': a primary key can't hold nvarchar"),
    (table("id long"), "its key has 0 columns"),
    (table("id long", "id", sql="Things; DROP TABLE x"), "'Things; DROP TABLE x' can't be a name"),
    (table("id long", "id", sql="T" * 119), "118 at most"),
    (table("id long, ID long", "id"), "column 'ID': another column has this name"),
    (table("id long, batch long", "id"), "column 'batch': another column has this name"),
    (table("id binary", "id"), "column 'id': binary has no type in SQL"),
    (table("id long", "id", sql="Window_Counts"), "Window_Counts: another table has this name"),
]


@pytest.mark.parametrize(("wrong", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_a_table_that_azure_sql_can_not_hold_is_refused_by_name(wrong, why):
    with pytest.raises(UnfitTable) as refused:
        sql_table(wrong, length_of)

    assert why in str(refused.value)


def test_one_refusal_names_all_that_is_wrong():
    wrong = [table("id string, b binary", "id"), table("id long", "id"), table("id long", sql="Other")]

    with pytest.raises(UnfitTable) as refused:
        sql_tables(wrong, length_of)

    assert [line.partition(": ")[0] for line in str(refused.value).splitlines()] == [
        *("Things", "Things", "Other"),
        *("Things", "Things_keys", "Things_staging"),
    ]


def test_a_table_that_is_not_published_is_passed_over():
    assert sql_tables([table("id binary", sql="")], length_of) == ()


@pytest.mark.parametrize(("length", "key"), [(450, "PRIMARY KEY ("), (451, "PRIMARY KEY NONCLUSTERED (")])
def test_a_key_too_long_to_sort_the_table_by_is_an_index_beside_it(length, key):
    made = sql_table(table(f"id string({length})", "id"), length_of)

    assert key in ddl(made, "tsql")[0]


@pytest.mark.parametrize(("length", "kind"), [(4000, "nvarchar(4000)"), (4001, "nvarchar(max)")])
def test_a_text_is_as_long_as_azure_sql_can_bound_it(length, kind):
    made = sql_table(table(f"id long, text string({length})", "id"), length_of)

    assert f'"text" {kind}' in ddl(made, "tsql")[0]


def test_trades_is_looked_for_by_its_window_alone_beside_its_key():
    assert [index.columns for index in sql_table(TRADES, length_of).indexes] == [("window_id",)]


@pytest.mark.parametrize(
    ("column", "length"),
    [
        (Column("x", "string", "", length=7), 7),
        (Column("x", "string", "", of="trades.direction"), 4),
        (Column("x", "string", "", of="trades.direction", length=8), 8),
        (Column("x", "string", "", of="trades.window_id"), 64),
    ],
)
def test_a_text_is_as_long_as_its_column_or_its_contract_says(column, length):
    assert length_of(column) == length


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (Column("x", "string", ""), "nothing bounds"),
        (Column("x", "string", "", of="nowhere.x"), "nothing bounds"),
        (Column("x", "string", "", of="trades.nothing"), "nothing bounds"),
        (Column("x", "string", "", of="trades.direction", length=3), "trades.direction may be longer than 3"),
    ],
)
def test_a_text_without_a_bound_is_refused(column, why):
    with pytest.raises(UnboundedText, match=why):
        length_of(column)
