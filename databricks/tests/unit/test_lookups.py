"""Which rows of a lookup are used, and of which file."""

import logging
import traceback
from datetime import date
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.lookups import BadLookup, LookupMissing, Lookups, checked_lookup, lookup_contracts, parse_lookup_contract
from lakehouse.personal_data import KeysMissing, PiiKeys

STORES = parse_lookup_contract(
    "stores",
    {
        "x-key": ["store"],
        "x-best-first": ["rank", "id"],
        "properties": {"store": {"maxLength": 5}, "rank": {}, "id": {}, "city": {"maxLength": 4}},
    },
)


PEOPLE = parse_lookup_contract(
    "people",
    {
        "x-key": ["id"],
        "properties": {
            "id": {"x-type": "int64"},
            "email": {"x-type": "string", "maxLength": 20, "x-pii": True},
            "born": {"x-type": "date32[day]", "x-pii": True},
            "worth": {"x-type": "decimal128(38, 18)"},
        },
    },
)
KEYS = PiiKeys({"v1": b"k" * 32})


def people(**columns):
    there = {"id": [1], "email": ["a@example.com"], "born": [date(1990, 2, 1)], "worth": [None]}
    return pa.table({**there, **columns})


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


def test_a_daily_file_is_every_windows_and_its_day_is_its_edition():
    store = Store({"stores/20261128.parquet": parquet(stores(("a", 1, "i", "x")))})
    daily = Lookups(NoSpark(), store, {"stores": "stores/20261128.parquet"}, {"stores": STORES})
    hourly = Lookups(NoSpark(), store, {"stores": "stores/w-2.parquet"}, {"stores": STORES})

    assert {daily.path("stores", window) for window in ("w-1", "20261127", None)} == {"stores/20261128.parquet"}
    assert store.asked == []
    assert (daily.edition("stores", "w-2"), hourly.edition("stores", "w-2")) == ("20261128", "w-2")


@pytest.mark.parametrize("day", ["20261399", "20260229", "00000000"])
def test_a_day_that_there_is_not_is_refused(day):
    lookups = Lookups(NoSpark(), Store(), {"stores": f"stores/{day}.parquet"}, {"stores": STORES})

    for asked in (lookups.edition, lookups.path):
        with pytest.raises(BadLookup, match=rf"'stores/{day}.parquet' names a day that there is not"):
            asked("stores", "w-1")


def test_an_empty_file_is_a_lookup_without_rows():
    assert checked_lookup(people().slice(0, 0), PEOPLE).rows.num_rows == 0


def test_columns_are_read_as_the_contract_has_them_where_no_value_is_lost():
    found = checked_lookup(people(id=pa.array([1], pa.int32()), born=["1990-02-01"], worth=[7]), PEOPLE).rows

    assert [str(kind) for kind in found.schema.types] == ["int64", "string", "date32[day]", "decimal128(38, 18)"]
    assert found["born"].to_pylist() == [date(1990, 2, 1)]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"born": ["31/02/1990 CANARY"]}, r"'people' has born as string, which can't be read as date32\[day\]"),
        ({"email": pa.array([b"CANARY\xff"])}, "'people' has email as binary, which can't be read as string"),
        ({"id": ["CANARY"]}, "'people' has id as string, which can't be read as int64"),
    ],
)
def test_a_value_that_can_not_be_read_is_refused_and_never_shown(columns, told):
    with pytest.raises(BadLookup, match=told) as refused:
        checked_lookup(people(**columns), PEOPLE)

    assert "CANARY" not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__context__ is None


def test_a_file_of_people_without_a_header_does_not_show_its_first_row():
    table = people().rename_columns(["id", "CANARY@example.com", "1990-02-01", "worth"])

    with pytest.raises(
        BadLookup, match=r"lacks the columns \['born', 'email'\]; it has \['id', 'worth'\] and 2 others"
    ):
        checked_lookup(table, PEOPLE)


def test_too_long_personal_texts_and_rows_of_one_key_are_left_out_without_being_shown(caplog):
    rows = people(id=[1, 1, 2], email=["a@example.com", "CANARY-1", "CANARY-22222@example.com"], born=[None] * 3,
                  worth=[None] * 3)  # fmt: skip
    lookups = Lookups(NoSpark(), Store({"people/w.parquet": parquet(rows)}), {}, {"people": PEOPLE}, KEYS)

    with caplog.at_level(logging.DEBUG):
        found = lookups.read("people", "people/w.parquet")

    assert found["id"].to_pylist() == [1]
    assert caplog.messages == ["people/w.parquet: 1 rows are left out, their email is longer than 20 characters."]


def test_personal_columns_are_tokens_but_for_who_asks_for_clear_text():
    store = Store({"people/w.parquet": parquet(people())})
    lookups = Lookups(NoSpark(), store, {}, {"people": PEOPLE}, KEYS)

    tokens = lookups.read("people", "people/w.parquet").to_pylist()
    clear = lookups.read("people", "people/w.parquet", clear=True).to_pylist()

    email, born = KEYS.token("email", "a@example.com"), KEYS.token("born", date(1990, 2, 1))
    assert tokens == [{"id": 1, "email": email, "born": born, "worth": None, "pii_key_version": "v1"}]
    assert clear == [{"id": 1, "email": "a@example.com", "born": date(1990, 2, 1), "worth": None}]
    assert store.asked == ["people/w.parquet"]


def test_without_keys_nothing_personal_is_read():
    lookups = Lookups(NoSpark(), Store({"people/w.parquet": parquet(people())}), {}, {"people": PEOPLE})

    with pytest.raises(KeysMissing, match="'people' has personal columns, and the run has no keys"):
        lookups.read("people", "people/w.parquet")


def test_personal_columns_that_nobody_takes_need_no_keys_and_may_be_missing():
    contract = PEOPLE.with_personal({"born"})
    file = pa.table({"id": [1], "born": [date(1990, 2, 1)], "worth": [None]})
    lookups = Lookups(NoSpark(), Store({"people/w.parquet": parquet(file)}), {}, {"people": contract}, KEYS)
    nobodys = Lookups(
        NoSpark(), Store({"people/w.parquet": parquet(people())}), {}, {"people": PEOPLE.with_personal(())}
    )

    tokens = lookups.read("people", "people/w.parquet").to_pylist()
    bare = nobodys.read("people", "people/w.parquet").to_pylist()

    assert tokens == [{"id": 1, "born": KEYS.token("born", date(1990, 2, 1)), "worth": None, "pii_key_version": "v1"}]
    assert bare == [{"id": 1, "worth": None}]


def test_a_column_of_lists_is_read_however_its_file_names_their_items():
    contract = parse_lookup_contract("users", {"properties": {"jobs": {"x-type": "list<item: string>"}}})
    named = pa.list_(pa.field("element", pa.string()))

    checked = checked_lookup(pa.table({"jobs": pa.array([["a", "b"]], named)}), contract)

    assert checked.rows.to_pylist() == [{"jobs": ["a", "b"]}]
    with pytest.raises(BadLookup, match="has jobs as int64"):
        checked_lookup(pa.table({"jobs": [1]}), contract)


def test_the_contract_of_clients_marks_what_is_personal():
    clients = lookup_contracts()["dim_clientes"]

    assert clients.personal == ("nome", "cpf", "email", "data_nascimento")
    assert clients.types["data_nascimento"] == "date32[day]"


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
