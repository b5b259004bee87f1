"""Requests that start no run: the wrong URL, the wrong body."""

import re

import pytest

from tests.integration.logic_app.conftest import ORDER

REQUIRED = ("order_id", "kind", "shop", "message")


WRONG_URLS = {
    "no signature": (r"&sig=.*", "", 401, "DirectApiAuthorizationRequired"),
    "an empty signature": (r"&sig=.*", "&sig=", 401, "AuthorizationFailed"),
    "another signature": (r"&sig=.*", "&sig=AAAA", 401, "AuthorizationFailed"),
    "another permission": ("manual%2Frun", "manual%2Fread", 401, "AuthorizationFailed"),
    "another version": ("2016-10-01", "2016-06-01", 400, "InvalidApiVersionParameter"),
    "another workflow": ("/order_notice/", "/another/", 404, "WorkflowNotFound"),
    "another trigger": ("/manual/", "/auto/", 404, "WorkflowNotFound"),
}


@pytest.mark.parametrize("wrong", WRONG_URLS)
async def test_only_the_signed_url_is_accepted(client, wrong):
    pattern, instead, status, code = WRONG_URLS[wrong]

    answered, body = await client.post(url=re.sub(pattern, instead, client.addresses["order_notice"]))

    assert (answered, body["error"]["code"]) == (status, code)
    assert await client.mails() == []


@pytest.mark.parametrize("name", REQUIRED)
async def test_a_body_without_a_required_field_is_refused_as_azure_phrases_it(client, name):
    status, body = await client.post({key: value for key, value in ORDER.items() if key != name})

    assert (status, body["error"]["code"]) == (400, "TriggerInputSchemaMismatch")
    assert f"Required properties are missing from object: {name}." in body["error"]["message"]
    assert await client.mails() == []


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "greeting"},
        {"items": "12"},
        {"order_id": "it's"},
        {"shop": "north'; DROP"},
        {"day": "22 November"},
        {"details": []},
        {"message": ""},
    ],
)
async def test_a_field_of_another_shape_is_refused(client, change):
    status, body = await client.post(ORDER | change)

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


async def test_fields_that_are_not_required_may_be_null_or_absent(client):
    bare = {key: ORDER[key] for key in REQUIRED} | {"kind": "cancelled", "details": None}

    assert await client.post(bare) == (200, {"status": "sent"})
    assert (await client.mails())[0]["subject"] == "Order cancelled: north"
