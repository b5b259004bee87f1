"""The runs of a payment's JSON line that belong to one entity, in the order in which they stand in the line."""

from enum import IntEnum

_ID_BLANK = "-" * 36
_TIME_BLANK = "-" * 26
_BOOLEANS = ("false", "true")

ID_AT = len('{"transactionID":"')  # bytes from the line's start to its id
HOURS = 25  # fragments of the hour for each currency: unknown, then 0 to 23
TIME_BEFORE_END = len(_TIME_BLANK + 'Z"}\n')  # bytes from the start of its time to the line's end


class Kind(IntEnum):
    """One run of columns; its number is its place in the line."""

    HEAD = 0
    ACCOUNT = 1
    DOLLARS = 2
    UNITS = 3
    HOUR = 4
    ADDRESS = 5
    WALLET = 6
    BILLING = 7
    CART = 8
    HOME = 9
    TENURE = 10


def head() -> str:
    """Open a line, with room for its id."""
    return f'{{"transactionID":"{_ID_BLANK}","accountID":"'


def account(number: str) -> str:
    """Name the account."""
    return number


def dollars(literal: str) -> str:
    """Give the amount in US dollars."""
    return f'","transactionAmountUSD":{literal},"transactionAmount":'


def units(literal: str) -> str:
    """Give the amount in units of the account's currency."""
    return literal


def hour(currency: str, number: int) -> str:
    """Name the currency, and the hour of the day at the account's place, -1 for unknown."""
    return f',"transactionCurrencyCode":"{currency}","localHour":{number},"transactionIPaddress":"'


def address(ip: str, place: tuple[str, str, str], *, proxy: bool) -> str:
    """Give an IP address and the (postcode, state, country) it belongs to."""
    postcode, state, country = place
    return (
        f'{ip}","ipState":"{state}","ipPostcode":"{postcode}","ipCountryCode":"{country}",'
        f'"isProxyIP":{_BOOLEANS[proxy]},"browserLanguage":"'
    )


def wallet(language: str, instrument: str, card: str) -> str:
    """Give the language of the browser and what it pays with."""
    return f'{language}","paymentInstrumentType":"{instrument}","cardType":"{card}","paymentBillingPostalCode":"'


def billing(postcode: str, state: str, country: str) -> str:
    """Give the place that the bill goes to."""
    return f'{postcode}","paymentBillingState":"{state}","paymentBillingCountryCode":"{country}","cvvVerifyResult":"'


def cart(check: str, digital: int, physical: int) -> str:
    """Give the result of checking the security code and the numbers of items."""
    return f'{check}","digitalItemCount":{digital},"physicalItemCount":{physical},"accountPostalCode":"'


def home(postcode: str, state: str, country: str) -> str:
    """Give the place that the account is registered at."""
    return f'{postcode}","accountState":"{state}","accountCountry":"{country}","accountAge":'


def tenure(days: int, instrument_days: float, rejects: int, *, registered: bool) -> str:
    """Give how long the account and its instrument are known, and close the line, with room for its time."""
    return (
        f'{days},"isUserRegistered":{_BOOLEANS[registered]},"paymentInstrumentAgeInAccount":{instrument_days},'
        f'"numPaymentRejects1dPerUser":{rejects},"transactionDateTime":"{_TIME_BLANK}Z"}}\n'
    )
