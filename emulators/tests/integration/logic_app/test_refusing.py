"""Requests that start no run: the wrong URL, the wrong body."""

import re

import pytest

from tests.integration.logic_app.conftest import ALERT

REQUIRED = ("alert_id", "kind", "cause", "table", "run_id", "ingestion_date", "ingestion_time", "message")


WRONG_URLS = {
    "no signature": (r"&sig=.*", "", 401, "DirectApiAuthorizationRequired"),
    "an empty signature": (r"&sig=.*", "&sig=", 401, "AuthorizationFailed"),
    "another signature": (r"&sig=.*", "&sig=AAAA", 401, "AuthorizationFailed"),
    "another permission": ("manual%2Frun", "manual%2Fread", 401, "AuthorizationFailed"),
    "another version": ("2016-10-01", "2016-06-01", 400, "InvalidApiVersionParameter"),
    "another workflow": ("/ingestion_alert/", "/another/", 404, "WorkflowNotFound"),
    "another trigger": ("/manual/", "/auto/", 404, "WorkflowNotFound"),
}


@pytest.mark.parametrize("wrong", WRONG_URLS)
async def test_only_the_signed_url_leads_in(client, wrong):
    pattern, instead, status, code = WRONG_URLS[wrong]

    answered, body = await client.post(url=re.sub(pattern, instead, client.addresses["ingestion_alert"]))

    assert (answered, body["error"]["code"]) == (status, code)
    assert await client.mails() == []


@pytest.mark.parametrize("name", REQUIRED)
async def test_a_body_without_a_required_field_is_refused_in_azures_words(client, name):
    status, body = await client.post({key: value for key, value in ALERT.items() if key != name})

    assert (status, body["error"]["code"]) == (400, "TriggerInputSchemaMismatch")
    assert f"Required properties are missing from object: {name}." in body["error"]["message"]
    assert await client.mails() == []


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "greeting"},
        {"rows_count_delta": "12"},
        {"alert_id": "it's"},
        {"table": "trades'; DROP"},
        {"ingestion_date": "22 November"},
        {"limits": []},
        {"message": ""},
    ],
)
async def test_a_field_of_another_shape_is_refused(client, change):
    status, body = await client.post(ALERT | change)

    assert (status, body["error"]["code"]) == (400, "TriggerInputSchemaMismatch")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, "InvalidRequestContent"),
        ({"data": b"", "headers": {"Content-Type": "application/json"}}, "InvalidRequestContent"),
        ({"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, "InvalidRequestContent"),
        ({"json": []}, "TriggerInputSchemaMismatch"),
        ({"data": b"{}", "headers": {"Content-Type": "text/plain"}}, "TriggerInputSchemaMismatch"),
    ],
)
async def test_what_is_no_json_object_is_refused(client, options, code):
    status, body = await client.post(**options)

    assert (status, body["error"]["code"]) == (400, code)


async def test_the_troubles_that_have_no_counts_are_taken(client):
    bare = {key: ALERT[key] for key in REQUIRED} | {"kind": "run_failed", "limits": None, "window": None}

    assert await client.post(bare) == (200, {"status": "sent"})
    assert (await client.mails())[0]["subject"] == "Enrichment run failed: trades"
