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
    seen = SeenValues([ColumnRule(CONTRACT.columns[NAMES.index(column)])])
    words = np.array([int.from_bytes(text.encode(), "little") for text in texts], np.uint64)[:, None]
    for _ in range(5):
        known = seen.slots(words, np.ones_like(words, np.bool_))[1]
    return known[:, 0].tolist()


def test_every_countrys_code_is_known_once_it_was_seen():
    assert all(found("ipCountryCode", ["", *CODES]))


def test_the_codes_of_common_currencies_are_known_together():
    assert all(found("transactionCurrencyCode", ["", *CURRENCIES]))


def test_a_value_that_breaks_its_rule_is_never_known():
    assert found("ipCountryCode", ["DE", "D1", "DEU", "FR"]) == [True, False, False, True]
