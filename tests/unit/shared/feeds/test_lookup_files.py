import re
import traceback
from datetime import date
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.contracts import load_lookup_columns
from shared.errors import FeedUnusable
from shared.feeds.feed import Dimension
from shared.feeds.lookup_files import dimension_file
from tests.unit.shared.flows.helpdesk import POOL, TYPES, clients

DAY = date(2026, 11, 27)


def column(table, name):
    return table.schema.get_field_index(name)


def with_column(name, values, kind):
    return lambda pool, day: (table := clients(pool, day)).set_column(column(table, name), name, pa.array(values, kind))


def refusal(make):
    with pytest.raises(FeedUnusable) as refused:
        dimension_file(Dimension("dim_clientes", make), POOL, DAY)
    return refused.value


def test_a_days_file_holds_the_days_rows_in_the_contracts_columns_and_types():
    table = pq.read_table(BytesIO(dimension_file(Dimension("dim_clientes", clients), POOL, DAY)))

    assert table == clients(POOL, DAY)
    assert {field.name: str(field.type) for field in table.schema} == {
        each.name: each.arrow_type for each in load_lookup_columns("dim_clientes")
    }


def test_the_same_day_gives_the_same_bytes():
    dimension = Dimension("dim_clientes", clients)

    assert dimension_file(dimension, POOL, DAY) == dimension_file(dimension, POOL, DAY)
    assert dimension_file(dimension, POOL, DAY) != dimension_file(dimension, POOL, date(2026, 11, 28))


@pytest.mark.parametrize(
    ("make", "broken"),
    [
        (with_column("id_cliente", ["canary"] * 3, pa.string()), "id_cliente is string, and must be int64"),
        (with_column("nome", ["canary", None, None], pa.string()), "nome has 2 nulls, and must have none"),
        (lambda pool, day: clients(pool, day).drop_columns(list(TYPES)[1:]), "its columns are id_cliente, and must be"),
        (lambda pool, day: clients(pool, day).select(list(TYPES)[::-1]), "its columns are dt_cadastro, "),
    ],
)
def test_rows_that_break_the_contract_are_refused_by_columns_and_types(make, broken):
    text = str(refusal(make))

    assert text.startswith("The lookup dim_clientes of 2026-11-27 is not as its contract has it: ")
    assert broken in text


def numbered(pool, day):
    return pa.array(pool.columns["nome"].to_pylist(), pa.int64())


def raising(pool, day):
    raise ValueError(f"{pool.columns['nome'][0]} has no e-mail")


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (numbered, r"ArrowInvalid in test_lookup_files\.py, line \d+"),
        (raising, r"ValueError in test_lookup_files\.py, line \d+"),
        (lambda pool, day: pool.columns["nome"].to_pylist(), r"AttributeError in lookup_files\.py, line \d+"),
    ],
)
def test_a_maker_that_fails_is_named_by_what_failed_where_and_never_by_its_words(make, fault):
    error = refusal(make)

    printed = "".join(traceback.format_exception(error))
    assert re.fullmatch(rf"The lookup dim_clientes of 2026-11-27 can't be made: {fault}\.", str(error))
    assert [name for name in POOL.columns["nome"].to_pylist() if name in printed] == []
