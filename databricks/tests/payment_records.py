"""Records of payments, as the app sends them."""

from typing import Any
from uuid import UUID

EMPTY = (
    "ipState",
    "ipPostcode",
    "paymentBillingPostalCode",
    "paymentBillingState",
    "accountPostalCode",
    "accountState",
)
PAYMENT = dict.fromkeys(EMPTY, "") | {
    "accountID": "A1234567890123456",
    "transactionAmountUSD": 12.5,
    "transactionAmount": 1250,
    "transactionCurrencyCode": "JPY",
    "localHour": -1,
    "transactionIPaddress": "10.0.0.1",
    "ipCountryCode": "JP",
    "isProxyIP": False,
    "browserLanguage": "ja-JP",
    "paymentInstrumentType": "PAYPAL",
    "cardType": "",
    "paymentBillingCountryCode": "",
    "cvvVerifyResult": "",
    "digitalItemCount": 0,
    "physicalItemCount": 2,
    "accountCountry": "JP",
    "accountAge": 10,
    "isUserRegistered": True,
    "paymentInstrumentAgeInAccount": 0.5,
    "numPaymentRejects1dPerUser": 0,
    "transactionDateTime": "2026-11-22T10:00:00.000001Z",
}
CLEANED_OF_PAYMENT = [
    "local_hour_unknown",
    "ip_state_blank",
    "ip_postcode_blank",
    "card_type_blank",
    "billing_postal_code_blank",
    "billing_state_blank",
    "billing_country_blank",
    "cvv_blank",
]
"""The rules that meet `PAYMENT`, in the contract's order."""


def payment(number: int, **changes: Any) -> dict[str, Any]:
    return PAYMENT | {"transactionID": payment_id(number)} | changes


def payment_id(number: int) -> str:
    return str(UUID(int=number, version=4)).replace("-4", "-8", 1)
