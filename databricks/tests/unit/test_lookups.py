"""Which rows of a lookup are used, and of which file."""

import logging
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.lookups import BadLookup, LookupMissing, Lookups, checked_lookup, lookup_contracts, parse_lookup_contract

STORES = parse_lookup_contract(
    "stores",
    {
        "x-key": ["store"],
        "x-best-first": ["rank", "id"],
        "properties": {"store": {"maxLength": 5}, "rank": {}, "id": {}, "city": {"maxLength": 4}},
    },
)


def stores(*rows):
    return pa.Table.from_pylist([dict(zip(("store", "rank", "id", "city"), row, strict=True)) for row in rows])


def parquet(table):
    sink = BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


class Store(dict):
    """Files in memory; remembers what was read."""

    def __init__(self, *given):
        super().__init__(*given)
        self.asked = []

    def read(self, path):
        self.asked.append(path)
        return self.get(path)


class NoSpark:
    """Keeps what would become a frame."""

    def createDataFrame(self, rows):  # noqa: N802 - Spark's name
        self.rows = rows
        return self

    def localCheckpoint(self):  # noqa: N802 - Spark's name
        return self.rows


def test_a_lookup_that_lacks_columns_is_refused_by_name():
    table = stores(("a", 1, "i", "Bern")).drop_columns(["rank", "city"])

    with pytest.raises(
        BadLookup, match=r"lookup 'stores' lacks the columns \['city', 'rank'\]; it has \['store', 'id'\]"
    ):
        checked_lookup(table, STORES)


def test_of_one_key_the_best_row_is_taken_whatever_its_place():
    table = stores(
        ("a", None, "0", "x"), ("a", 2, "i", "x"), ("a", 1, "z", "x"), ("a", 1, "b", "x"), ("b", None, "n", "x")
    )

    found = checked_lookup(table, STORES).rows.to_pylist()

    assert [(row["store"], row["id"]) for row in found] == [("a", "b"), ("b", "n")]


def test_a_row_without_its_key_is_left_out():
    assert checked_lookup(stores((None, 1, "i", "x"), ("a", 2, "j", "x")), STORES).rows["store"].to_pylist() == ["a"]


def test_rows_with_too_long_texts_are_left_out_and_counted_and_do_not_give_way_to_namesakes():
    table = stores(("a", 1, "i", "Genève"), ("a", 2, "j", "Bern"), ("b", 3, "k", None), ("toolong", 4, "l", "Bern"))

    found = checked_lookup(table, STORES)

    assert found.rows["store"].to_pylist() == ["b"]
    assert found.too_long == {"store": 1, "city": 1}


def test_too_long_texts_are_told(caplog):
    store = Store({"stores/w-1.parquet": parquet(stores(("a", 1, "i", "Genève")))})

    with caplog.at_level(logging.WARNING):
        Lookups(NoSpark(), store, {"stores": "stores/w-1.parquet"}, {"stores": STORES}).read(
            "stores", "stores/w-1.parquet"
        )

    assert caplog.messages == ["stores/w-1.parquet: 1 rows are left out, their city is longer than 4 characters."]


def test_a_windows_own_file_is_taken_where_it_still_is_and_each_is_read_once():
    one = parquet(stores(("a", 1, "i", "x")))
    store = Store({"stores/w-1.parquet": one, "stores/w-2.parquet": one})
    lookups = Lookups(NoSpark(), store, {"stores": "stores/w-2.parquet"}, {"stores": STORES})

    paths = [lookups.path("stores", window) for window in ("w-1", "w-0", "w-0", "w-1", None, "{../}")]

    assert paths == [f"stores/w-{number}.parquet" for number in (1, 2, 2, 1, 2, 2)]
    assert store.asked == ["stores/w-1.parquet", "stores/w-0.parquet"]


def test_a_lookup_that_is_not_there_or_was_not_given_is_told():
    lookups = Lookups(NoSpark(), Store(), {"stores": "stores/w-1.parquet"}, {"stores": STORES})

    with pytest.raises(LookupMissing, match=r"'stores/w-1.parquet' is not in the reference store"):
        lookups.read("stores", lookups.path("stores", None))
    with pytest.raises(LookupMissing, match=r"no lookup 'assets'; its parameter `lookups` names \['stores'\]"):
        lookups.path("assets", None)


def test_the_lookup_of_assets_is_bounded_and_keyed_by_its_contract():
    assets = lookup_contracts()["assets"]

    assert dict(assets.bounds) == {"id": 128, "symbol": 64, "name": 200, "explorer": 400}
    assert (assets.key, assets.best_first) == (("symbol",), ("rank", "id"))
