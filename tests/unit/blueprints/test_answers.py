"""Every answer is a JSON object, which Data Factory's Azure Function activity insists on; each error has its status."""

import json

import pytest

from blueprints.answers import answer
from shared.errors import CorruptRow, LoginRefused, RequestRejected, SettingsError, Unavailable


async def failing(error):
    raise error


async def working():
    return {"status": "recorded"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RequestRejected("conflict", "run_conflict", "It was measured before.", "run_id"), 409, "run_conflict"),
        (Unavailable("SQL is down."), 503, "unavailable"),
        (LoginRefused("SQL refused the login."), 503, "unavailable"),
        (SettingsError("There is no driver."), 500, "settings"),
        (CorruptRow("A row can't be read."), 500, "internal"),
    ],
)
async def test_an_error_is_an_object_with_its_code(error, status, code):
    response = await answer(failing(error))

    body = json.loads(response.get_body())
    assert (response.status_code, response.mimetype) == (status, "application/json")
    assert body["error"].keys() == {"code", "message", "field"}
    assert (body["error"]["code"], body["error"]["message"]) == (code, getattr(error, "message", str(error)))


async def test_what_may_be_cured_by_waiting_says_how_long_to_wait():
    response = await answer(failing(Unavailable("SQL is down.")))

    assert response.headers["Retry-After"] == "10"


async def test_success_is_the_object_itself():
    response = await answer(working())

    assert (response.status_code, json.loads(response.get_body())) == (200, {"status": "recorded"})


async def test_what_was_not_raised_on_purpose_is_left_to_the_host():
    with pytest.raises(ZeroDivisionError):
        await answer(failing(ZeroDivisionError()))
