"""The facts behind payments that Faker does not know: countries, currencies, and how often each value occurs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Where accounts and addresses live.

    share: percent of all accounts. zone: IANA name of its most populous time zone. state: the Faker method of `locale`
    that gives a short state code, None where payments carry none. postcode: a numerify pattern where Faker has no
    locale of its own.
    """

    code: str
    share: int
    currency: str
    zone: str
    locale: str
    languages: tuple[str, ...]
    state: str | None = None
    postcode: str | None = None


@dataclass(frozen=True, slots=True)
class Currency:
    """How many units one US dollar buys (fixed on purpose) and how many decimals ISO 4217 gives the unit."""

    code: str
    per_dollar: float
    scale: int


COUNTRIES = (
    Country("US", 34, "USD", "America/New_York", "en_US", ("en-US", "en-US", "en-US", "es-US"), "state_abbr"),
    Country("GB", 9, "GBP", "Europe/London", "en_GB", ("en-GB",)),
    Country("DE", 7, "EUR", "Europe/Berlin", "de_DE", ("de-DE",)),
    Country("FR", 6, "EUR", "Europe/Paris", "fr_FR", ("fr-FR",)),
    Country("CA", 5, "CAD", "America/Toronto", "en_CA", ("en-CA", "en-CA", "en-CA", "fr-CA"), "province_abbr"),
    Country("AU", 5, "AUD", "Australia/Sydney", "en_AU", ("en-AU",), "state_abbr"),
    Country("JP", 5, "JPY", "Asia/Tokyo", "ja_JP", ("ja-JP",)),
    Country("BR", 4, "BRL", "America/Sao_Paulo", "pt_BR", ("pt-BR",), "estado_sigla"),
    Country("IN", 4, "INR", "Asia/Kolkata", "en_IN", ("en-IN", "hi-IN")),
    Country("ES", 3, "EUR", "Europe/Madrid", "es_ES", ("es-ES",)),
    Country("IT", 3, "EUR", "Europe/Rome", "it_IT", ("it-IT",), "state_abbr"),
    Country("NL", 2, "EUR", "Europe/Amsterdam", "nl_NL", ("nl-NL",)),
    Country("MX", 2, "MXN", "America/Mexico_City", "es_MX", ("es-MX",), "state_abbr"),
    Country("KR", 2, "KRW", "Asia/Seoul", "ko_KR", ("ko-KR",)),
    Country("PL", 1, "PLN", "Europe/Warsaw", "pl_PL", ("pl-PL",)),
    Country("SE", 1, "SEK", "Europe/Stockholm", "sv_SE", ("sv-SE",)),
    Country("CH", 1, "CHF", "Europe/Zurich", "de_CH", ("de-CH", "fr-CH")),
    Country("IE", 1, "EUR", "Europe/Dublin", "en_IE", ("en-IE",)),
    Country("NO", 1, "NOK", "Europe/Oslo", "no_NO", ("nb-NO",)),
    Country("NZ", 1, "NZD", "Pacific/Auckland", "en_NZ", ("en-NZ",)),
    Country("CL", 1, "CLP", "America/Santiago", "es_CL", ("es-CL",)),
    Country("KW", 1, "KWD", "Asia/Kuwait", "en_US", ("ar-KW",), postcode="#####"),
    Country("BH", 1, "BHD", "Asia/Bahrain", "en_US", ("ar-BH",), postcode="####"),
)

CURRENCIES = (
    Currency("USD", 1.0, 2),
    Currency("GBP", 0.79, 2),
    Currency("EUR", 0.92, 2),
    Currency("CAD", 1.37, 2),
    Currency("AUD", 1.52, 2),
    Currency("JPY", 150.0, 0),
    Currency("BRL", 5.4, 2),
    Currency("INR", 84.0, 2),
    Currency("MXN", 18.2, 2),
    Currency("KRW", 1380.0, 0),
    Currency("PLN", 3.95, 2),
    Currency("SEK", 10.5, 2),
    Currency("CHF", 0.88, 2),
    Currency("NOK", 10.9, 2),
    Currency("NZD", 1.68, 2),
    Currency("CLP", 950.0, 0),
    Currency("KWD", 0.307, 3),
    Currency("BHD", 0.376, 3),
)

# instrument, card type, percent of accounts; an instrument without a card has no card type and no security code
WALLETS = (
    ("CREDITCARD", "VISA", 31),
    ("CREDITCARD", "MC", 21),
    ("CREDITCARD", "AMEX", 8),
    ("CREDITCARD", "DISCOVER", 4),
    ("DEBITCARD", "VISA", 10),
    ("DEBITCARD", "MC", 6),
    ("PAYPAL", "", 12),
    ("DIRECTDEBIT", "", 5),
    ("GIFTCARD", "", 3),
)

# result of checking a card's security code, of 80 payments by card; X and Y are no valid results, as in the seed's data
SECURITY_CHECKS = (("M", 66), ("N", 3), ("P", 3), ("S", 2), ("U", 3), ("X", 1), ("Y", 1), ("", 1))

# (digital items, physical items), percent of payments
CARTS = (
    ((1, 0), 28),
    ((2, 0), 8),
    ((3, 0), 3),
    ((5, 0), 1),
    ((0, 1), 30),
    ((0, 2), 12),
    ((0, 3), 5),
    ((0, 4), 3),
    ((1, 1), 6),
    ((1, 2), 2),
    ((2, 1), 2),
)

REJECTS = ((0, 93), (1, 4), (2, 2), (3, 1))  # rejected payments of a user within a day, percent of accounts

LOG_MEAN, LOG_SIGMA = 3.6, 1.1  # of amounts in US dollars: median 37, one in a hundred above 470
LEAST_AMOUNT = 0.5  # US dollars
MOST_ACCOUNT_DAYS = 3650
REGISTERED_PERCENT = 94
PROXY_PERCENT = 3
BLANK_PERCENT = 3  # of states, postcodes and billing addresses
UNPLACED_PERCENT = 2  # addresses of which no country is known
UNKNOWN_HOUR = -1  # as frequent as any hour of the day
