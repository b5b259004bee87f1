from itertools import product
from string import ascii_uppercase

import numpy as np

from shared.feeds.replaying.rules import ColumnRule
from shared.feeds.replaying.values import SeenValues
from tests.unit.shared.feeds.replaying.recorded_payments import CONTRACT, NAMES

CODES = ["".join(letters) for letters in product(ascii_uppercase, repeat=2)]
_COMMON = (
    "AEDARSAUDBGNBRLCADCHFCLPCNYCOPCZKDKKEGPEURGBPHKDHUFIDRILSINRISKJPYKESKRWMADMXNMYRNGNNOK"
    "NZDPENPHPPLNRONSARSEKSGDTHBTRYTWDUAHUSDVNDZAR"
)
CURRENCIES = [_COMMON[at : at + 3] for at in range(0, len(_COMMON), 3)]


def found(column, texts):
    """Look values up until all were learned, as block follows block; says which of them are known in the end."""
    rule = ColumnRule(CONTRACT.columns[NAMES.index(column)])
    seen = SeenValues(lambda text: rule.read(text).encode(), 13)
    views = np.array([len(text).to_bytes(4, "little") + text.encode().ljust(12, b"\0") for text in texts], "V16")
    for _ in range(5):
        known = seen.find(views)[1]
    return known.tolist()


def test_every_countrys_code_is_known_once_it_was_seen():
    assert all(found("ipCountryCode", ["", *CODES]))


def test_the_codes_of_common_currencies_are_known_together():
    assert all(found("transactionCurrencyCode", ["", *CURRENCIES]))


def test_a_value_that_breaks_its_rule_is_never_known():
    assert found("ipCountryCode", ["DE", "D1", "DEU", "FR"]) == [True, False, False, True]
