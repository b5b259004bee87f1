import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.windows.window import microseconds
from shared.errors import FeedRefused
from shared.feeds.replaying.header import header_of
from shared.feeds.replaying.rules import BadField, ColumnRule
from tests.unit.shared.feeds.replaying.recorded_payments import (
    CONTRACT,
    GOOD,
    HEADER,
    NAMES,
    line_of,
    reader_of,
    written,
)

TEXTS = st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=("Cs", "Cc")), max_size=20)
NUMBERS = st.one_of(
    st.decimals(0, 10**9, places=4).map(str), st.floats(0, 1e12).map(repr), st.text("0123456789.-+eE x", max_size=10)
)
TIMES = st.one_of(
    st.datetimes().map(lambda at: at.isoformat(timespec="microseconds") + "Z"),
    st.datetimes().filter(lambda at: at.year > 1970).map(lambda at: at.strftime("%m/%d/%Y %I:%M:%S %p")),
    st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,7})?Z?\Z"),
    st.from_regex(r"\A[0-9]{1,2}/[0-9]{1,2}/[0-9]{4} [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( [AP]M)?\Z"),
)


def records(read):
    return [json.loads(line) for line in read.records.lines.to_pylist()]


def reasons(read):
    return [(line.number, line.reason) for line in read.refused]


def exactly(fields):
    """Read a line's fields one by one; None where one breaks its rule."""
    try:
        return {
            column.name: json.loads(ColumnRule(column).read(text))
            for column, text in zip(CONTRACT.columns, fields, strict=True)
        }
    except BadField:
        return None


def test_a_line_becomes_a_record_with_the_contracts_kinds_and_the_files_digits():
    read = reader_of().read(line_of(), 2)

    (record,) = records(read)
    assert list(record) == NAMES
    assert record["transactionAmountUSD"] == 12.5
    assert b'"transactionAmountUSD":12.50,' in read.records.lines[0].as_py()
    assert (record["localHour"], record["isProxyIP"], record["isUserRegistered"]) == (-1, False, True)
    assert record["transactionDateTime"] == "2013-04-09T10:29:58.000000Z"
    assert read.numbers.tolist() == [2]
    assert read.times.tolist() == [microseconds(datetime(2013, 4, 9, 10, 29, 58, tzinfo=UTC))]
    assert read.records.keys.to_pylist() == ["us"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_line_ends_are_read(end):
    read = reader_of().read(line_of(end) * 3, 2)

    assert records(read) == [exactly(GOOD.values())] * 3


def test_a_blank_country_is_partitioned_as_unk():
    read = reader_of().read(line_of(ipCountryCode="") + line_of(), 2)

    assert read.records.keys.to_pylist() == ["unk", "us"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"transactionAmount": "12,5 EUR"}, "transactionAmount is no number"),
        ({"transactionAmount": "NaN"}, "transactionAmount is no number"),
        ({"transactionAmount": "-1"}, "transactionAmount breaks minimum 0"),
        ({"transactionAmountUSD": ""}, "transactionAmountUSD is blank"),
        ({"localHour": "24"}, "localHour breaks maximum 23"),
        ({"accountAge": "3.5"}, "accountAge is no whole number"),
        ({"isProxyIP": "maybe"}, "isProxyIP is neither true nor false"),
        ({"transactionDateTime": "yesterday"}, "transactionDateTime is no date and time"),
        ({"transactionDateTime": "2013-02-30T00:00:00Z"}, "transactionDateTime is no date and time"),
        ({"transactionDateTime": "2/30/2013 1:00:00 PM"}, "transactionDateTime is no date and time"),
        ({"transactionDateTime": ""}, "transactionDateTime is blank"),
        ({"transactionID": ""}, "transactionID is blank"),
        ({"ipState": "x" * 65}, "ipState is longer than 64"),
        ({"ipState": "a\x00b"}, "ipState holds a control character"),
        ({"ipCountryCode": "U1"}, "ipCountryCode does not match ^([A-Za-z]{2})?$"),
        ({"ipState": "x" * 10_000_000}, "it is longer than 131072 bytes"),
    ],
)
def test_a_bad_field_refuses_its_line_by_number_and_the_others_go_on(changes, reason):
    read = reader_of().read(line_of() + line_of(**changes) + line_of(), 7)

    assert reasons(read) == [(8, reason)]
    assert read.numbers.tolist() == [7, 9]
    assert read.refused[0].content + b"\n" == line_of(**changes)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,b\n", "it has 2 fields, not 28"),
        (line_of().replace(b"\n", b",more\n"), "it has 29 fields, not 28"),
        (line_of().replace(b"new york", b"Qu\xe9bec"), "it is not UTF-8: byte 36 is 0xE9"),
        (
            line_of().replace(b"new york", b'"new york'),
            "its quotes do not match: a field's quotes must close on its line",
        ),
    ],
)
def test_a_line_that_is_no_line_of_the_recording_costs_no_other_line(content, reason):
    read = reader_of().read(line_of() + content + line_of(), 2)

    assert reasons(read) == [(3, reason)]
    assert len(records(read)) == 2


def test_a_reason_never_holds_what_the_line_holds():
    read = reader_of().read(line_of(transactionAmount="canary") + line_of(ipCountryCode="canary"), 2)

    assert len(read.refused) == 2
    assert not any("canary" in reason for _, reason in reasons(read))


def test_blank_lines_are_neither_records_nor_refused():
    read = reader_of().read(b"\n" + line_of() + b"\r\n" + line_of(), 2)

    assert read.numbers.tolist() == [3, 5]
    assert read.refused == []


@pytest.mark.parametrize("column", ["localHour", "isProxyIP", "accountAge", "numPaymentRejects1dPerUser"])
def test_a_number_or_truth_value_of_which_nothing_is_known_is_null(column):
    (record,) = records(reader_of().read(line_of(**{column: ""}), 2))

    assert record[column] is None


@pytest.mark.parametrize(
    "text",
    [
        "4/9/2013 10:29:58 AM",
        "2013-04-09 10:29:58",
        "2013-04-09T10:29:58",
        "2013-04-09T12:29:58+02:00",
        " 2013-04-09T10:29:58.0Z",
    ],
)
def test_every_form_of_a_time_is_written_in_one(text):
    read = reader_of().read(line_of(transactionDateTime=text) + line_of(), 2)

    first, second = records(read)
    assert first["transactionDateTime"] == second["transactionDateTime"]
    assert read.times[0] == read.times[1]


def test_columns_in_another_order_give_the_same_record():
    order = list(reversed(NAMES))
    header = ",".join(order).upper().encode()

    read = reader_of(header).read(written([GOOD[name] for name in order]), 2)

    assert records(read) == [exactly(GOOD.values())]


@pytest.mark.parametrize("header", [HEADER, b"\xef\xbb\xbf" + HEADER, HEADER + b"\r"])
def test_a_header_is_known_with_a_mark_and_with_either_line_end(header):
    assert header_of(header, CONTRACT.columns).lines == 1


def test_a_file_without_a_header_has_the_contracts_order():
    header = header_of(line_of(), CONTRACT.columns)

    assert (header.places, header.lines) == (tuple(range(28)), 0)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER.replace(b",accountAge", b""), "lacks column accountAge"),
        (HEADER + b",more", "has 29 columns"),
        (b"\xff\xfe" + HEADER, "UTF-16"),
    ],
)
def test_a_header_that_does_not_fit_refuses_the_file(header, words):
    with pytest.raises(FeedRefused, match=words):
        header_of(header, CONTRACT.columns)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(TEXTS, TEXTS, NUMBERS, TIMES), min_size=1, max_size=8),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_lines_are_read_at_once_as_each_is_read_alone(rows, quoting, end):
    changed = [
        [
            *(
                GOOD | {"ipState": a, "accountPostalCode": b, "transactionAmount": number, "transactionDateTime": at}
            ).values()
        ]
        for a, b, number, at in rows
    ]

    read = reader_of().read(b"".join(written(fields, end, quoting) for fields in changed), 1)

    alone = [exactly(fields) for fields in changed]
    assert records(read) == [record for record in alone if record]
    assert [line.number for line in read.refused] == [number for number, record in enumerate(alone, 1) if not record]


@settings(max_examples=50)
@given(st.binary(max_size=400).map(lambda noise: noise.replace(b"\n", b"")))
def test_whatever_a_line_holds_its_neighbours_are_read(noise):
    read = reader_of().read(line_of() + noise + b"\n" + line_of(), 2)

    assert {2, 4} <= set(read.numbers.tolist())
    assert len(read.numbers) + len(read.refused) == (3 if noise not in (b"", b"\r") else 2)


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "0.0",
        "00",
        "01.5",
        ".5",
        "5.",
        "1.2.3",
        "12345678",
        "123456789.25",
        "1234567.890123456",
        "1-2",
        "1e3",
        "+1",
        "-0",
        "9" * 16,
    ],
)
@pytest.mark.parametrize("column", ["transactionAmount", "digitalItemCount"])
def test_a_number_is_read_at_once_as_alone(column, number):
    fields = (GOOD | {column: number}).values()

    read = reader_of().read(written(fields), 1)

    assert records(read) == [record for record in [exactly(fields)] if record]


def test_times_of_a_whole_day_a_second_apart_are_read_as_python_reads_them():
    begin = datetime(2024, 2, 28, 23, 59, 30, tzinfo=UTC)
    times = [begin + timedelta(seconds=second, microseconds=second) for second in range(100)]

    read = reader_of().read(b"".join(line_of(transactionDateTime=at.isoformat()[:-6]) for at in times), 1)

    assert read.times.tolist() == [microseconds(at) for at in times]


@pytest.mark.parametrize(
    "odd",
    [
        "2026-02-29T10:00:07.000007Z",
        "2026-13-01T10:00:07.000007Z",
        "2026-11-22T24:00:07.000007Z",
        "2026-11-22T10:60:07.000007Z",
        "2026-11-22T10:00:60.000007Z",
        "2026-11-22T10:00:07.00000xZ",
        "2026-11-22T10:00:0:.000007Z",
        "2026-11-22T10:00:07,000007Z",
        "2026-11-22T10:00-07.000007Z",
        "2026-11-22T10:00:07.0000071",
        "2026-11-22 10:00:07.000007Z",
        "2026-11-22T10:00:07.00007Z",
        "2026-11-22T10:00:59.999999Z",
        "0999-11-22T10:00:07.000007Z",
        "11/22/2026 10:00:07 AM",
        "",
    ],
)
def test_a_time_among_many_of_its_minute_is_read_as_alone(odd):
    times = [f"2026-11-22T10:00:{second:02}.{second:06}Z" for second in range(60)]
    times[7], times[31] = odd, "2026-11-22T10:01:31.000031Z"
    changed = [[*(GOOD | {"transactionDateTime": at}).values()] for at in times]

    read = reader_of().read(b"".join(map(written, changed)), 1)

    alone = [exactly(fields) for fields in changed]
    assert records(read) == [record for record in alone if record]
    assert [line.number for line in read.refused] == ([] if alone[7] else [8])
    assert read.times.tolist() == [
        microseconds(datetime.fromisoformat(record["transactionDateTime"])) for record in alone if record
    ]


@settings(max_examples=30)
@given(st.lists(st.tuples(NUMBERS, st.sampled_from(["True", "0", "x", ""])), min_size=10, max_size=20))
def test_many_lines_are_read_at_once_as_each_is_read_alone(rows):
    changed = [
        [*(GOOD | {"transactionAmountUSD": number, "accountAge": number, "isProxyIP": truth}).values()]
        for number, truth in rows
    ]

    read = reader_of().read(b"".join(map(written, changed)), 1)

    assert records(read) == [record for fields in changed if (record := exactly(fields))]


def test_what_was_read_stays_as_it_is_while_its_reader_reads_on():
    reader = reader_of()
    blocks = [[f"{'t' * size}{number}" for number in range(count)] for size, count in ((9, 30), (40, 4), (3, 90))]

    read = [reader.read(b"".join(line_of(transactionID=one) for one in ids), 1) for ids in blocks]

    assert [[record["transactionID"] for record in records(one)] for one in read] == blocks
    assert {one.records.keys.dictionary.to_pylist()[0] for one in read} == {GOOD["ipCountryCode"]}
