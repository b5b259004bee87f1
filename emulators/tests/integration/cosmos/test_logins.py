"""Who may do what, by the account's key and by tokens of Entra."""

import base64

import pytest
from azure.cosmos.exceptions import CosmosHttpResponseError

UPSERT = {"x-ms-documentdb-is-upsert": "True", "x-ms-documentdb-partitionkey": '["BR"]'}
DOCS = "/dbs/shop/colls/orders/docs"


def answer(stage, role, method, path, **more):
    got = stage.ask(method, path, stage.token(role), **more)
    return got.status_code, got.headers.get("x-ms-substatus", "0")


def test_a_sender_writes_and_reads(stage):
    body = b'{"id": "by-token", "country": "BR"}'

    assert answer(stage, "Sender", "POST", DOCS, data=body, headers=UPSERT)[0] in {200, 201}
    assert (
        answer(stage, "Sender", "GET", f"{DOCS}/by-token", headers={"x-ms-documentdb-partitionkey": '["BR"]'})[0] == 200
    )


def test_a_receiver_reads_and_does_not_write(stage):
    changes = {"A-IM": "Incremental feed", "x-ms-documentdb-partitionkeyrangeid": "0"}

    assert answer(stage, "Receiver", "GET", DOCS, headers=changes)[0] in {200, 304}
    assert answer(stage, "Receiver", "POST", DOCS, data=b"{}", headers=UPSERT) == (403, "5301")


def test_no_token_makes_a_database(stage):
    assert answer(stage, "Sender", "POST", "/dbs", data=b'{"id": "new"}') == (403, "5300")


@pytest.mark.parametrize(
    "authorization", ["", "type=aad", "type=aad&ver=1.0&sig=x", "type=x&ver=1.0&sig=x", "Bearer x"]
)
def test_what_is_no_login_is_refused(stage, authorization):
    got = stage.ask("GET", "/dbs/shop", "", headers={"Authorization": authorization})

    assert got.status_code == 401


def test_a_signature_of_another_time_is_refused(stage):
    dated = {"Authorization": "type=master&ver=1.0&sig=x", "x-ms-date": "Thu, 27 Apr 2017 00:51:12 GMT"}

    assert stage.ask("GET", "/dbs/shop", "", headers=dated).status_code == 403


async def test_another_key_is_refused(stage):
    client = stage.client(base64.b64encode(b"x" * 64).decode())
    try:
        with pytest.raises(CosmosHttpResponseError) as refused:
            await stage.container(client).read()
    finally:
        await client.close()

    assert refused.value.status_code == 401
