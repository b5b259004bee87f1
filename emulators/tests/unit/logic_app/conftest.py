"""A workflow that tests may change before it is read."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from emulators.logic_app.reading import read_workflow

SOURCE = Path(__file__).parents[2] / "workflows/order_notice/workflow.json"


@pytest.fixture
def document():
    return deepcopy(json.loads(SOURCE.read_bytes()))


@pytest.fixture
def read(tmp_path):
    """Give a function that writes a document as the workflow `sample` and reads it."""

    def read(document):
        path = tmp_path / "sample" / "workflow.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document))
        return read_workflow(path)

    return read
