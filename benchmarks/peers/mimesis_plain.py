"""Plain mimesis: providers built once, one call a field, json.dumps; the 28 columns in the shares of plain Faker."""

import json

from mimesis import Address, Code, Cryptographic, Datetime, Internet, Locale
from mimesis.random import Random

from benchmarks.peers import faker_plain as shares
from shared.feeds.payments import tables


class Providers:
    """What a payment is drawn with."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.address = Address(Locale.EN, seed=seed)
        self.code = Code(seed=seed)
        self.cryptographic = Cryptographic(seed=seed)
        self.datetime = Datetime(seed=seed)
        self.internet = Internet(seed=seed)


def record(fake: Providers) -> dict:
    """Draw one payment."""
    chance, choice, address = fake.random.random, fake.random.choice, fake.address
    dollars = max(tables.LEAST_AMOUNT, fake.random.lognormvariate(tables.LOG_MEAN, tables.LOG_SIGMA))
    currency = shares.CURRENCIES[choice(shares.CURRENCY_CODES)]
    days = fake.random.randint(0, tables.MOST_ACCOUNT_DAYS)
    return {
        "transactionID": fake.cryptographic.uuid(),
        "accountID": fake.code.pin("A################"),
        "transactionAmountUSD": round(dollars, 2),
        "transactionAmount": round(dollars * currency.per_dollar, currency.scale or None),
        "transactionCurrencyCode": currency.code,
        "localHour": fake.random.randint(tables.UNKNOWN_HOUR, 23),
        "transactionIPaddress": fake.internet.ip_v4(),
        "ipState": address.state(abbr=True) if chance() < shares.NOT_BLANK else "",
        "ipPostcode": address.postal_code() if chance() < shares.NOT_BLANK else "",
        "ipCountryCode": choice(shares.COUNTRY_CODES) if chance() < shares.PLACED else "",
        "isProxyIP": chance() < tables.PROXY_PERCENT / 100,
        "browserLanguage": choice(shares.LANGUAGES),
        "paymentInstrumentType": choice(shares.INSTRUMENTS),
        "cardType": choice(shares.CARDS),
        "paymentBillingPostalCode": address.postal_code() if chance() < shares.NOT_BLANK else "",
        "paymentBillingState": address.state(abbr=True) if chance() < shares.NOT_BLANK else "",
        "paymentBillingCountryCode": choice(shares.COUNTRY_CODES) if chance() < shares.NOT_BLANK else "",
        "cvvVerifyResult": choice(shares.CHECKS),
        "digitalItemCount": choice(shares.DIGITAL),
        "physicalItemCount": choice(shares.PHYSICAL),
        "accountPostalCode": address.postal_code(),
        "accountState": address.state(abbr=True),
        "accountCountry": choice(shares.COUNTRY_CODES),
        "accountAge": days,
        "isUserRegistered": chance() < tables.REGISTERED_PERCENT / 100,
        "paymentInstrumentAgeInAccount": round(days * chance(), 1),
        "numPaymentRejects1dPerUser": choice(shares.REJECTS),
        "transactionDateTime": fake.datetime.datetime(2026, 2026).isoformat(timespec="microseconds") + "Z",
    }


def lines(fake: Providers, count: int) -> list[bytes]:
    """Draw payments as JSON lines."""
    return [json.dumps(record(fake)).encode() + b"\n" for _ in range(count)]
