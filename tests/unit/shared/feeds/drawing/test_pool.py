import numpy as np
import pyarrow as pa
import pytest

from shared.feeds.drawing.pool import Pool

POOL = Pool(3, {"codes": np.arange(5, dtype=np.uint8), "texts": pa.array([b"one", b"two"], pa.binary())})


def read(content):
    return Pool.from_buffer(pa.py_buffer(content))


def test_a_pool_survives_the_journey_through_bytes():
    again = read(POOL.to_bytes())

    assert (again.version, again.fingerprint) == (3, POOL.fingerprint)
    assert again.columns["codes"].tolist() == [0, 1, 2, 3, 4]
    assert again.columns["texts"].equals(POOL.columns["texts"])


@pytest.mark.parametrize(
    "other",
    [
        Pool(4, POOL.columns),
        Pool(3, {**POOL.columns, "codes": np.arange(5, dtype=np.uint16)}),
        Pool(3, {**POOL.columns, "codes": np.arange(1, 6, dtype=np.uint8)}),
        Pool(3, {**POOL.columns, "texts": pa.array([b"one", b"twO"], pa.binary())}),
        Pool(3, {"kodes": POOL.columns["codes"], "texts": POOL.columns["texts"]}),
    ],
    ids=["version", "type", "number", "text", "name"],
)
def test_whatever_differs_the_fingerprint_does(other):
    assert other.fingerprint != POOL.fingerprint


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content.replace(b"onetwo", b"onetwO"), "fingerprint"),
        (lambda content: content[:-300], "Arrow"),
        (lambda content: b"no Arrow file" * 99, "Arrow"),
        (lambda content: b"", "small"),
    ],
    ids=["flipped", "cut", "foreign", "empty"],
)
def test_damaged_bytes_are_refused(damage, words):
    with pytest.raises(ValueError, match=words):
        read(damage(POOL.to_bytes()))
