"""The orchestrators that the tests keep are those of the recordings: asked the same, the SDK answers the same."""

import json
import warnings

import azure.durable_functions as df
import pytest

from tests.replay import holding_shape, old_shape
from tests.replay.recorded import episodes


@pytest.mark.parametrize(("file", "shape"), [("november", old_shape), ("holds", holding_shape)])
def test_asked_what_the_extension_asked_the_orchestrators_answer_as_recorded(file, shape):
    functions = {name: df.Orchestrator.create(body) for name, body in shape.ORCHESTRATORS.items()}
    rows = episodes(file)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK warns of a codec of its next version, and of mixed-up results
        answers = [json.loads(functions[row["function"]](json.dumps(row["asked"]))) for row in rows]

    assert answers == [row["answered"] for row in rows]
