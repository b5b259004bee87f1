"""Plain Faker: `Faker("en_US")` built once, one call a field, json.dumps; the fastest call that says the same.

The shares are those of the app's tables, so that each column has the distribution that ours claims. Columns are drawn
independently, as Faker does; only the amount in the currency and the age of the instrument look at their neighbour,
which costs nothing. Where Faker's own words are slow a faster call is used: a bare draw for blanks (`fake.optional`
costs 10 microseconds a field) and `random_int` for the account's number (`numerify` costs 20).
"""

import json
from datetime import UTC, datetime

from faker import Faker

from shared.feeds.drawing.sampling import repeated
from shared.feeds.payments import tables

_SHARES = [(country, country.share) for country in tables.COUNTRIES]
COUNTRY_CODES = repeated((country.code, share) for country, share in _SHARES)
CURRENCY_CODES = repeated((country.currency, share) for country, share in _SHARES)
LANGUAGES = repeated(
    (language, share * 4 // len(country.languages)) for country, share in _SHARES for language in country.languages
)
INSTRUMENTS = repeated((instrument, share) for instrument, _, share in tables.WALLETS)
CARDS = repeated((card, share) for _, card, share in tables.WALLETS)
CARDLESS = sum(share for _, card, share in tables.WALLETS if not card)
CHECKS = repeated([*tables.SECURITY_CHECKS, ("", CARDLESS)])
DIGITAL = repeated((items[0], share) for items, share in tables.CARTS)
PHYSICAL = repeated((items[1], share) for items, share in tables.CARTS)
REJECTS = repeated(tables.REJECTS)
CURRENCIES = {currency.code: currency for currency in tables.CURRENCIES}
DAY = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
NOT_BLANK = 1 - tables.BLANK_PERCENT / 100
PLACED = 1 - tables.UNPLACED_PERCENT / 100


def record(fake: Faker) -> dict:
    """Draw one payment."""
    chance = fake.random.random
    dollars = max(tables.LEAST_AMOUNT, fake.random.lognormvariate(tables.LOG_MEAN, tables.LOG_SIGMA))
    currency = CURRENCIES[fake.random_element(CURRENCY_CODES)]
    days = fake.random_int(0, tables.MOST_ACCOUNT_DAYS)
    return {
        "transactionID": fake.uuid4(),
        "accountID": f"A{fake.random_int(0, 10**16 - 1):016d}",
        "transactionAmountUSD": round(dollars, 2),
        "transactionAmount": round(dollars * currency.per_dollar, currency.scale or None),
        "transactionCurrencyCode": currency.code,
        "localHour": fake.random_int(tables.UNKNOWN_HOUR, 23),
        "transactionIPaddress": fake.ipv4_public(),
        "ipState": fake.state_abbr() if chance() < NOT_BLANK else "",
        "ipPostcode": fake.postcode() if chance() < NOT_BLANK else "",
        "ipCountryCode": fake.random_element(COUNTRY_CODES) if chance() < PLACED else "",
        "isProxyIP": fake.boolean(tables.PROXY_PERCENT),
        "browserLanguage": fake.random_element(LANGUAGES),
        "paymentInstrumentType": fake.random_element(INSTRUMENTS),
        "cardType": fake.random_element(CARDS),
        "paymentBillingPostalCode": fake.postcode() if chance() < NOT_BLANK else "",
        "paymentBillingState": fake.state_abbr() if chance() < NOT_BLANK else "",
        "paymentBillingCountryCode": fake.random_element(COUNTRY_CODES) if chance() < NOT_BLANK else "",
        "cvvVerifyResult": fake.random_element(CHECKS),
        "digitalItemCount": fake.random_element(DIGITAL),
        "physicalItemCount": fake.random_element(PHYSICAL),
        "accountPostalCode": fake.postcode(),
        "accountState": fake.state_abbr(),
        "accountCountry": fake.random_element(COUNTRY_CODES),
        "accountAge": days,
        "isUserRegistered": fake.boolean(tables.REGISTERED_PERCENT),
        "paymentInstrumentAgeInAccount": round(days * chance(), 1),
        "numPaymentRejects1dPerUser": fake.random_element(REJECTS),
        "transactionDateTime": fake.date_time_between_dates(*DAY, tzinfo=UTC).isoformat(timespec="microseconds"),
    }


def lines(fake: Faker, count: int) -> list[bytes]:
    """Draw payments as JSON lines."""
    return [json.dumps(record(fake)).encode() + b"\n" for _ in range(count)]
