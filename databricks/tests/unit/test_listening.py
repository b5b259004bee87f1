"""How far a query lags behind its hub, whatever the source calls its offsets."""

import json

import pytest

from lakehouse.listening import lag_of

KAFKA = {"endOffset": {"trades": {"0": 90, "1": 50}}, "latestOffset": {"trades": {"0": 100, "1": 50}}}
AMQP = {
    "endOffset": json.dumps({"created": "2026-11-01T00:00:00.000Z", "last": {"0": 4}}),
    "latestOffset": json.dumps({"created": "2026-11-01T00:00:00.000Z", "last": {"0": 9, "1": 1}}),
}


@pytest.mark.parametrize(
    ("sources", "lag"),
    [
        ([KAFKA], 10),
        ([AMQP], 5 + 2),
        ([KAFKA, AMQP], 17),
        ([{"endOffset": {"logOffset": 3}, "latestOffset": None}], 0),
        ([{"endOffset": None, "latestOffset": "soon"}], 0),
        ([{}], 0),
        ([], 0),
    ],
)
def test_a_querys_lag_is_what_its_hub_has_beyond_it(sources, lag):
    assert lag_of({"sources": sources}) == lag
