"""Silver's cleaning rules over real Spark and Delta: each rule, tables of before there were any, streams without."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.counting.counted import counted_tables
from lakehouse.counting.counts import Counting
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.streams.cleaning import cleaned
from lakehouse.streams.contract import load_contract, parse_contract
from lakehouse.streams.versions import Versions, records
from payment_records import CLEANED_OF_PAYMENT, payment, payment_id
from silver_house import EVENTS, SilverHouse, event, with_properties

WINDOW, LATER = "payments-20261122T100000Z", "payments-20261122T101000Z"
TRANSACTIONS = load_contract("transactions/1")
FILLED = {
    "ipState": "Tokyo",
    "ipPostcode": "100",
    "paymentBillingPostalCode": "100",
    "paymentBillingState": "Tokyo",
    "paymentBillingCountryCode": "JP",
    "cardType": "VISA",
    "cvvVerifyResult": "M",
    "localHour": 19,
}
PLAIN = {"id": {"type": "integer"}, "note": {"type": "string"}}
RULES = {
    **PLAIN,
    "note": {
        "type": "string",
        "x-clean": [{"rule": "blank", "values": [""], "becomes": "NA"}, {"rule": "odd", "values": ["x", "y"]}],
    },
}


def sent(record, window=WINDOW):
    return with_properties(event(record, window=window), contract="transactions/1")


def stream_of(properties, version=1):
    return parse_contract("notes", version, {"x-key": ["id"], "required": ["id"], "properties": properties})


@pytest.fixture
def payments(spark):
    made = SilverHouse(spark, "transactions", "payments")
    made.drop()
    yield made
    made.drop()


@pytest.fixture
def notes(spark):
    made = SilverHouse(spark, "notes", "notes", contracts=(stream_of(PLAIN),))
    made.drop()
    yield made
    made.drop()


def note(number, text, window="notes-20261122T100000Z"):
    return with_properties(event({"id": number, "note": text}, window=window), contract="notes/1")


EXAMPLES = {
    "nothing to clean": ({}, {}, []),
    "hour 0 is an hour": ({"localHour": 0}, {"localHour": 0}, []),
    "unknown hour": ({"localHour": -1}, {"localHour": None}, ["local_hour_unknown"]),
    "blank state": ({"ipState": ""}, {"ipState": "NA"}, ["ip_state_blank"]),
    "a state of spaces": ({"ipState": "   "}, {"ipState": "NA"}, ["ip_state_blank"]),
    "blank postcode": ({"ipPostcode": ""}, {"ipPostcode": "NA"}, ["ip_postcode_blank"]),
    "blank country": ({"ipCountryCode": ""}, {"ipCountryCode": "NA"}, ["ip_country_blank"]),
    "Namibia is no blank": ({"ipCountryCode": "NA"}, {"ipCountryCode": "NA"}, []),
    "blank billing code": (
        {"paymentBillingPostalCode": ""},
        {"paymentBillingPostalCode": "NA"},
        ["billing_postal_code_blank"],
    ),
    "blank billing state": ({"paymentBillingState": ""}, {"paymentBillingState": "NA"}, ["billing_state_blank"]),
    "blank billing country": (
        {"paymentBillingCountryCode": ""},
        {"paymentBillingCountryCode": "NA"},
        ["billing_country_blank"],
    ),
    "blank card": ({"cardType": ""}, {"cardType": "U"}, ["card_type_blank"]),
    "blank cvv": ({"cvvVerifyResult": ""}, {"cvvVerifyResult": "N"}, ["cvv_blank"]),
    "invalid cvv X": ({"cvvVerifyResult": "X"}, {"cvvVerifyResult": "X"}, ["cvv_invalid"]),
    "invalid cvv Y": ({"cvvVerifyResult": "Y"}, {"cvvVerifyResult": "Y"}, ["cvv_invalid"]),
    "an account's own blanks stay": ({"accountState": ""}, {"accountState": ""}, []),
    "all at once": (payment(1), {"localHour": None, "cardType": "U"}, CLEANED_OF_PAYMENT),
}


def test_each_rule_of_payments_does_what_the_contract_says(payments):
    payments.send(
        *[
            sent(payment(number, **FILLED) | one[0] | {"transactionID": payment_id(number)})
            for number, one in enumerate(EXAMPLES.values())
        ]
    )

    payments.started().run_pass()

    found = payments.lake.read("silver.transactions").orderBy("sequence_number").collect()
    for row, (example, (_, expected, rules)) in zip(found, EXAMPLES.items(), strict=True):
        assert {name: row[name] for name in expected} == expected, example
        assert row["cleaned"] == rules, example


def test_counts_by_rule_follow_a_repeat_a_later_window_and_a_rerun(payments):
    silver = payments.started()
    counting = Counting(payments.lake, counted_tables("payments", [TRANSACTIONS], Pipeline("payments", ())))
    payments.send(sent(payment(1)), sent(payment(2, **FILLED)), sent(payment(3, cvvVerifyResult="Y"), LATER))
    silver.run_pass()
    counting.refresh([WINDOW, LATER])
    first = [counting.of(window, "transactions") for window in (WINDOW, LATER)]

    payments.send(
        sent(payment(1)),
        sent(
            payment(
                4,
                **FILLED,
            )
            | {"cardType": ""}
        ),
    )
    silver.run_pass()
    counting.refresh([WINDOW])
    then = counting.of(WINDOW, "transactions")
    silver.rerun(WINDOW)
    counting.refresh([WINDOW])

    assert (first[0].silver_new, first[0].cleaned["cvv_blank"], first[0].cleaned["cvv_invalid"]) == (2, 1, 0)
    assert (first[1].silver_new, first[1].cleaned["cvv_blank"], first[1].cleaned["cvv_invalid"]) == (1, 0, 1)
    assert (then.silver_new, then.duplicates, then.cleaned["card_type_blank"]) == (3, 1, 2)
    assert counting.of(WINDOW, "transactions") == then


def test_a_table_of_before_there_were_rules_is_added_to_and_a_rerun_cleans_what_it_has(notes):
    notes.send(note(1, ""), note(2, "x", "notes-20261122T101000Z"))
    notes.started().run_pass()
    notes.contracts = (stream_of(RULES),)

    silver = notes.started()
    notes.send(note(3, ""), note(4, "y"), note(5, "ok"), note(3, "other"))
    silver.run_pass()
    before = notes.rows("silver.notes", "id", "note", "cleaned")
    notes.silver().rerun("notes-20261122T100000Z")

    assert before == [(1, "", None), (2, "x", None), (3, "NA", ["blank"]), (4, "y", ["odd"]), (5, "ok", [])]
    assert notes.rows("silver.notes", "id", "note", "cleaned") == [(1, "NA", ["blank"]), *before[1:]]
    assert "blank (note blank becomes NA); odd (note x or y stays as it is)" in _comment(notes)


def test_rules_that_are_taken_back_leave_what_they_said(notes):
    notes.contracts = (stream_of(RULES),)
    notes.send(note(1, ""))
    notes.started().run_pass()
    notes.contracts = (stream_of(PLAIN),)

    silver = notes.started()
    notes.send(note(2, ""))
    silver.run_pass()

    assert notes.rows("silver.notes", "id", "note", "cleaned") == [(1, "NA", ["blank"]), (2, "", None)]


def test_a_stream_without_rules_is_made_of_the_same_expressions_as_ever(spark):
    rows = spark.createDataFrame([], EVENTS)
    contract = stream_of(PLAIN)

    found = records(rows, "notes", Versions((contract,), contract.name))

    assert cleaned(found, contract) is found
    assert "cleaned" not in found.columns


kinds = st.sampled_from(["string", "integer", "boolean"])
VALUES = {
    "string": st.sampled_from(["", " ", "a", "b ", "ab"]),
    "integer": st.integers(-2, 2),
    "boolean": st.booleans(),
}
BECOMES = {"string": st.sampled_from(["NA", None]), "integer": st.sampled_from([9, None]), "boolean": st.none()}


@st.composite
def rules_and_values(draw):
    kind = draw(kinds)
    matched = draw(st.lists(VALUES[kind].map(_plain), unique=True, min_size=1, max_size=3))
    at = draw(st.integers(1, len(matched)))
    parts = [part for part in (matched[:at], matched[at:]) if part]
    rules = [
        {"rule": f"rule_{number}", "values": part, **draw(st.sampled_from([{}, {"becomes": draw(BECOMES[kind])}]))}
        for number, part in enumerate(parts)
    ]
    return kind, rules, draw(st.lists(st.none() | VALUES[kind], min_size=1, max_size=6))


@settings(max_examples=15)
@given(rules_and_values())
def test_a_value_is_what_the_one_rule_that_meets_it_makes_of_it(spark, drawn):
    kind, rules, values = drawn
    contract = stream_of({"id": {"type": "integer"}, "value": {"type": [kind, "null"], "x-clean": rules}})
    rows = spark.createDataFrame(list(enumerate(values)), f"id long, value {_SPARK[kind]}")

    found = cleaned(rows, contract).orderBy("id").select("value", "cleaned").collect()

    assert [tuple(row) for row in found] == [_by_hand(value, rules) for value in values]


def _by_hand(value, rules):
    met = [rule for rule in rules if value is not None and _plain(value) in rule["values"]]
    if not met:
        return value, []
    return met[0].get("becomes", value), [met[0]["rule"]]


def _plain(value):
    return value.strip(" ") if isinstance(value, str) else value


def _comment(house):
    return house.lake.read("silver.notes").schema["cleaned"].metadata["comment"]


_SPARK = {"string": "string", "integer": "long", "boolean": "boolean"}
