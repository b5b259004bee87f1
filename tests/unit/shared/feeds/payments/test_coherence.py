import ipaddress
import json
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from shared.feeds.feed import Position
from shared.feeds.payments import tables

COUNTRIES = {country.code: country for country in tables.COUNTRIES}
CURRENCIES = {currency.code: currency for currency in tables.CURRENCIES}
KEPT = (
    "transactionCurrencyCode",
    "browserLanguage",
    "paymentInstrumentType",
    "cardType",
    "paymentBillingPostalCode",
    "accountPostalCode",
    "accountState",
    "accountCountry",
    "accountAge",
    "isUserRegistered",
    "paymentInstrumentAgeInAccount",
    "numPaymentRejects1dPerUser",
)


@pytest.mark.parametrize("column", KEPT)
def test_an_account_keeps_what_it_is(records, column):
    seen = defaultdict(set)
    for record in records:
        seen[record["accountID"]].add(record[column])

    assert {len(values) for values in seen.values()} == {1}


def test_currency_and_language_are_those_of_the_account_country(records):
    for record in records:
        country = COUNTRIES[record["accountCountry"]]
        assert record["transactionCurrencyCode"] == country.currency
        assert record["browserLanguage"] in country.languages


def test_amount_is_the_dollars_at_the_fixed_rate_in_the_scale_of_the_currency(drawn):
    for line in drawn.lines.slice(0, 3000).to_pylist():
        record = json.loads(line, parse_float=Decimal)
        currency = CURRENCIES[record["transactionCurrencyCode"]]
        expected = float(record["transactionAmountUSD"]) * currency.per_dollar
        assert -Decimal(record["transactionAmount"]).as_tuple().exponent == currency.scale
        assert float(record["transactionAmount"]) == pytest.approx(expected, abs=0.51 * 10**-currency.scale)


def test_local_hour_is_the_account_country_s_or_unknown(records):
    for record in records:
        zone = ZoneInfo(COUNTRIES[record["accountCountry"]].zone)
        assert record["localHour"] in (-1, datetime.fromisoformat(record["transactionDateTime"]).astimezone(zone).hour)


def test_local_hour_goes_on_over_midnight(payments):
    evening = payments.records(Position("window", 0, 0, 4096, 1_795_341_600_000_000, 4096 / 86_400))

    hours = Counter(json.loads(line)["localHour"] for line in evening.lines.to_pylist())

    assert set(hours) == set(range(-1, 24))


def test_a_proxy_is_abroad_and_no_other_address_is(records):
    placed = [record for record in records if record["ipCountryCode"]]

    assert all(record["isProxyIP"] == (record["ipCountryCode"] != record["accountCountry"]) for record in placed)


def test_an_address_is_public_and_has_one_country(records):
    countries = defaultdict(set)
    for record in records:
        countries[record["transactionIPaddress"]].add(record["ipCountryCode"])

    assert {len(of_one) for of_one in countries.values()} == {1}
    assert all(ipaddress.ip_address(ip).is_global for ip in countries)


def test_billing_goes_home_or_nowhere(records):
    for record in records:
        billed = [record[f"paymentBilling{part}"] for part in ("PostalCode", "State", "CountryCode")]
        home = [record[f"account{part}"] for part in ("PostalCode", "State", "Country")]
        assert billed in (home, ["", "", ""])


def test_only_cards_have_a_type_and_a_security_check(records):
    for record in records:
        by_card = record["paymentInstrumentType"] in ("CREDITCARD", "DEBITCARD")
        assert (record["cardType"] != "") == by_card
        assert by_card or record["cvvVerifyResult"] == ""


def test_an_instrument_is_no_older_than_its_account(records):
    assert all(record["paymentInstrumentAgeInAccount"] <= record["accountAge"] for record in records)


def test_every_payment_has_an_item(records):
    assert all(record["digitalItemCount"] + record["physicalItemCount"] > 0 for record in records)


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        (lambda record: record["isProxyIP"], 0.02, 0.04),
        (lambda record: record["numPaymentRejects1dPerUser"] > 0, 0.04, 0.10),
        (lambda record: not record["isUserRegistered"], 0.04, 0.08),
        (lambda record: record["paymentBillingCountryCode"] == "", 0.01, 0.06),
        (lambda record: record["ipCountryCode"] == "", 0.005, 0.05),
        (lambda record: record["localHour"] == -1, 0.03, 0.05),
        (lambda record: record["accountCountry"] == "US", 0.31, 0.37),
    ],
    ids=["proxies", "rejects", "unregistered", "no billing address", "no country", "no hour", "US"],
)
def test_the_unusual_is_as_frequent_as_the_tables_say(records, what, low, high):
    share = sum(map(what, records)) / len(records)

    assert low <= share <= high


def test_a_few_accounts_pay_often(records):
    counts = Counter(record["accountID"] for record in records)

    busiest = sum(count for _, count in counts.most_common(len(counts) // 10))

    assert busiest / len(records) > 0.25
