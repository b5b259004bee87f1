import csv
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feeds.replaying.header import header_of
from shared.feeds.replaying.reader import LineReader
from tests.unit.shared.feeds.replaying.recorded_payments import CONTRACT, GOOD, HEADER, NAMES, line_of, written
from tests.unit.shared.feeds.replaying.test_reader import NUMBERS, TEXTS, TIMES, exactly, reasons, records

CODES = st.sampled_from(["EUR", "", "EU", 'E"U', "E,R"])


def new_reader(contract=CONTRACT, header=HEADER):
    return LineReader(contract, header_of(header, contract.columns), "transactionDateTime", "unk")


@settings(max_examples=30)
@given(
    st.lists(st.tuples(TEXTS, NUMBERS, TIMES, CODES), min_size=1, max_size=8),
    st.permutations(NAMES),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_lines_of_any_order_and_quotes_are_read_at_once_as_each_is_read_alone(rows, order, quoting):
    changed = [
        GOOD | {"ipState": text, "localHour": number, "transactionDateTime": at, "transactionCurrencyCode": code}
        for text, number, at, code in rows
    ]
    lines = [written([one[name] for name in order], quoting=quoting) for one in changed]

    read = new_reader(header=",".join(order).encode()).read(b"".join(lines), 1)

    assert records(read) == [record for one in changed if (record := exactly(one.values()))]


def test_neighbours_of_few_values_are_read_in_all_their_combinations():
    codes, hours = [f"A{one}{other}" for one in "BCDEFG" for other in "HIJKLM"], range(-1, 24)
    changed = [GOOD | {"transactionCurrencyCode": code, "localHour": str(hour)} for code in codes for hour in hours]
    lines = b"".join(written(fields.values()) for fields in changed)
    reader = new_reader()

    first, second = reader.read(lines, 1), reader.read(lines, 1)

    assert records(first) == records(second) == [exactly(fields.values()) for fields in changed]


def test_a_key_of_many_values_is_read_and_a_bad_lines_key_is_left_out():
    reader = new_reader(replace(CONTRACT, partition_key="transactionID"))

    read = reader.read(line_of(transactionID="a") + line_of(transactionID="b", localHour="24"), 1)
    none = reader.read(line_of(accountAge="x"), 1)

    assert read.records.keys.to_pylist() == ["a"]
    assert none.records.keys.to_pylist() == []
    assert reasons(none) == [(1, "accountAge is no whole number")]


@pytest.mark.parametrize(
    ("country", "truth", "refused"), [("DE", "False", 0), ("", "1", 0), ("D1", "0", 1), ("", "x", 1)]
)
def test_columns_of_few_values_may_stand_at_both_ends_of_a_line(country, truth, refused):
    names = ["ipCountryCode", "transactionID", "transactionDateTime", "isProxyIP"]
    columns = tuple(CONTRACT.columns[NAMES.index(name)] for name in names)
    reader = new_reader(replace(CONTRACT, columns=columns), ",".join(names).encode())
    good, time = written(("FR", "t", GOOD["transactionDateTime"], "true")), GOOD["transactionDateTime"]

    read = reader.read(good + written((country, "t1", time, truth)) + good, 1)

    assert [tuple(one.values()) for one in (records(read)[0], records(read)[-1])] == [("FR", "t", time, True)] * 2
    assert len(read.refused) == refused
    assert read.records.keys.to_pylist() == ["FR", *[country or "unk"] * (1 - refused), "FR"]


@pytest.mark.parametrize("currency", ["E,R", ",", "EUR,1"])
def test_a_comma_within_a_field_of_few_values_does_not_end_it(currency):
    line = line_of(transactionCurrencyCode=currency, localHour="1")

    read = new_reader().read(line_of() + line + line_of(), 1)

    assert [(one.number, one.content + b"\n") for one in read.refused] == [(2, line)]
    assert read.numbers.tolist() == [1, 3]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_columns_of_one_kind_that_changed_places_are_told_apart(quoting):
    order = ["accountID", "transactionID", *NAMES[2:]]
    line = written([GOOD[name] for name in order], quoting=quoting)

    read = new_reader(header=",".join(order).encode()).read(line * 2, 1)

    assert records(read) == [exactly(GOOD.values())] * 2
