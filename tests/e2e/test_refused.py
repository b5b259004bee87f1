"""A hub that accepts nobody's token: the window fails at once, and says who was refused where."""

from datetime import datetime

import pytest


@pytest.fixture(scope="module")
def window(app):
    app.hub_fault("refuse_token", hub="transactions", next=1000)
    (window_id,) = app.open("payments", seconds=10)
    yield app.ended(window_id)
    app.calm()


def test_window_fails_at_once_where_the_hub_refuses_the_token(window):
    assert window["state"] == "failed"
    (slice_,) = window["slices"]
    assert (slice_["attempt"], slice_["state"]) == (1, "refused")
    assert datetime.fromisoformat(slice_["updated_at"]) < datetime.fromisoformat(slice_["end"])


def test_reason_names_client_id_and_hub(app, window):
    assert app.client_id in window["reason"]
    assert "hub transactions" in window["reason"]
