"""Whether payments at speed look like plain Faker's: each column's divergence, beside that of Faker against Faker.

Compared: the distribution of each column alone, as the Jensen-Shannon divergence (in bits) of two histograms of samples
of equal size; the mean over all pairs of samples of ours and of Faker's, divided by the mean over all pairs of Faker's
own samples. Numbers, addresses and times are binned, identifiers are compared by their shape and first digit. Our
samples are windows of one day.

Not compared, as Faker has nothing to compare with: what belongs together (Faker draws columns independently, ours keep
an account's country, currency, language, places and ages) and the skew of accounts. States and postcodes are those of
the US on both sides, as `Faker("en_US")` knows no others. The version digit of identifiers differs on purpose (8, not
4). What a pool holds repeats: beyond 49,152 accounts, 8,192 places and 8,192 addresses text is not new, where plain
Faker's would be.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations, product
from math import log2
from statistics import mean

import numpy as np
import pyarrow.compute as pc
from faker import Faker

from benchmarks.interleaved import Row
from benchmarks.peers import faker_plain
from benchmarks.transactions import fresh_pool
from shared.feeds.feed import Position
from shared.feeds.payments.feed import Payments

WINDOWS, SAMPLES, RECORDS = 96, 32, 2_000  # windows of ours, samples of Faker (the slow ones), records in each
DAY_START, DAY_SECONDS = 1_795_305_600_000_000, 86_400  # 2026-11-22, the day that faker_plain draws from
SLICES, KEYS = 4, 1_000_000
BAR = 1.5

type Bin = Callable[[object], object]


def rows() -> list[Row]:
    payments = Payments(fresh_pool())
    ratios = divergences(_ours(payments), _fakers())
    for column, ratio in ratios.items():
        print(f"realism | {column}: {ratio:.3f} of Faker against Faker")
    worst = max(ratios, key=ratios.__getitem__)
    note = f"worst of {len(ratios)} columns: {worst}"
    return [
        Row("realism: divergence from plain Faker", "Faker against Faker", ratios[worst], BAR, at_most=True, note=note),
        Row("realism: distinct keys", f"{KEYS:,} records", distinct_keys(payments) / KEYS, 1.0),
    ]


def divergences(ours: list[list[dict]], theirs: list[list[dict]]) -> dict[str, float]:
    """Give each column's divergence from Faker as a multiple of Faker's from itself."""
    return {column: _ratio(column, ours, theirs) for column in theirs[0][0]}


def distinct_keys(payments: Payments) -> int:
    """Count the different ids of a million records of four slices."""
    per_slice = KEYS // SLICES
    drawn = [
        payments.records(Position("window", number, 0, per_slice, DAY_START, 1000.0)).lines for number in range(SLICES)
    ]
    ids = np.concatenate([pc.binary_slice(lines, 17, 53).to_numpy(zero_copy_only=False) for lines in drawn])
    return len(set(ids.tolist()))


def _ours(payments: Payments) -> list[list[dict]]:
    rate = RECORDS / DAY_SECONDS
    windows = [
        payments.records(Position(f"window-{number}", 0, 0, RECORDS, DAY_START, rate)) for number in range(WINDOWS)
    ]
    return [[json.loads(line) for line in window.lines.to_pylist()] for window in windows]


def _fakers() -> list[list[dict]]:
    samples = []
    for seed in range(SAMPLES):
        fake = Faker("en_US")
        fake.seed_instance(seed)
        samples.append([json.loads(line) for line in faker_plain.lines(fake, RECORDS)])
    print(f"realism | {SAMPLES} samples of plain Faker, {WINDOWS} windows of ours, {RECORDS:,} records each")
    return samples


def _ratio(column: str, ours: list[list[dict]], theirs: list[list[dict]]) -> float:
    us_by = US_ONLY.get(column)
    if us_by:
        ours = [[record for record in sample if record[us_by] == "US"] for sample in ours]
    size = min(map(len, ours))
    mine, others = (_histograms(column, samples, size) for samples in (ours, theirs))
    between = mean(_divergence(a, b) for a, b in product(mine, others))
    return between / mean(_divergence(a, b) for a, b in combinations(others, 2))


def _histograms(column: str, samples: Iterable[list[dict]], size: int) -> list[Counter]:
    binned = BINS.get(column, _same)
    return [Counter(binned(record[column]) for record in sample[:size]) for sample in samples]


def _divergence(left: Counter, right: Counter) -> float:
    return (_from_middle(left, right) + _from_middle(right, left)) / 2


def _from_middle(counts: Counter, others: Counter) -> float:
    total = counts.total()
    return sum(n / total * log2(2 * n / (n + others[value])) for value, n in counts.items())  # totals are equal


def _same(value: object) -> object:
    return value


def _half_octave(value: float) -> int:
    return round(2 * log2(value))


def _half_year(days: float) -> int:
    return int(days // 183)


def _id_shape(text: str) -> tuple:
    return len(text), "".join("-" if letter == "-" else "x" for letter in text), text[0]


US_ONLY = {
    "ipState": "ipCountryCode",
    "ipPostcode": "ipCountryCode",
    "paymentBillingState": "accountCountry",
    "paymentBillingPostalCode": "accountCountry",
    "accountState": "accountCountry",
    "accountPostalCode": "accountCountry",
}
BINS: dict[str, Bin] = {
    "transactionID": _id_shape,
    "accountID": lambda text: (len(text), text[:2], text[1:].isdigit()),
    "transactionAmountUSD": _half_octave,
    "transactionAmount": _half_octave,
    "transactionIPaddress": lambda text: int(text.split(".")[0]) // 8,
    "ipPostcode": lambda text: (len(text), text[:2]),
    "paymentBillingPostalCode": lambda text: (len(text), text[:2]),
    "accountPostalCode": lambda text: (len(text), text[:2]),
    "accountAge": _half_year,
    "paymentInstrumentAgeInAccount": _half_year,
    "transactionDateTime": lambda text: (text[:10], text[11:13]),
}

if __name__ == "__main__":
    for row in rows():
        print(row, row.met)
