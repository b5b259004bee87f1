"""Tokens: what they are made of, which values give the same one, and what becomes of them when a key is added."""

import base64
import hashlib
import hmac
import json
import pickle
import traceback
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.personal_data import TOKEN_LENGTH, BadKeys, PiiKeys, normalised, parse_pii_keys, tokenised

ONE, TWO = b"1" * 32, b"2" * 32
KEYS = PiiKeys({"v1": ONE})
texts = st.text(min_size=1).filter(lambda text: normalised("nome", text))


def base64url(digest):
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def secret(*keys):
    return json.dumps({"keys": [{"version": version, "key": key} for version, key in keys]})


def encoded(key):
    return base64.b64encode(key).decode()


@given(st.binary(min_size=32, max_size=80), texts)
def test_a_token_is_the_hmac_of_kind_and_value_in_base64url(key, text):
    expected = hmac.new(key, f"nome:{normalised('nome', text)}".encode(), hashlib.sha256).digest()

    token = PiiKeys({"v1": key}).token("nome", text)

    assert token == base64url(expected)
    assert len(token) == TOKEN_LENGTH


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("cpf", "529.982.247-25", " 52998224725"),
        ("email", "Ana@Example.com ", "ana@example.COM"),
        ("nome", " José", "Jose\N{COMBINING ACUTE ACCENT}"),
        ("data_nascimento", date(1990, 2, 1), "1990-02-01"),
    ],
)
def test_what_is_the_same_to_people_has_the_same_token(kind, one, other):
    assert KEYS.token(kind, one) == KEYS.token(kind, other)


@pytest.mark.parametrize(("kind", "one", "other"), [("nome", "Ana", "ana"), ("email", "a@b.c", "ab.c")])
def test_what_is_not_the_same_has_another(kind, one, other):
    assert KEYS.token(kind, one) != KEYS.token(kind, other)


def test_one_text_of_two_kinds_has_two_tokens():
    assert KEYS.token("nome", "52998224725") != KEYS.token("cpf", "52998224725")


@pytest.mark.parametrize(("kind", "value"), [("nome", None), ("nome", "  "), ("cpf", "unknown"), ("email", "")])
def test_where_there_is_no_value_there_is_no_token_that_would_join(kind, value):
    assert KEYS.token(kind, value) is None


@given(texts, st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4), st.data())
def test_a_token_of_older_keys_becomes_the_newest_ones_without_its_value(text, keys, data):
    versions = {f"v{number}": key for number, key in enumerate(keys)}
    older = data.draw(st.integers(1, len(keys)))
    then = PiiKeys(dict(list(versions.items())[:older]))

    renewed = PiiKeys(versions).renewed(then.token("nome", text), then.current)

    assert renewed == PiiKeys(versions).token("nome", text)


def test_a_token_that_is_none_stays_none():
    assert PiiKeys({"v1": ONE, "v2": TWO}).renewed(None, "v1") is None


def test_a_token_of_an_unknown_key_is_refused():
    with pytest.raises(BadKeys, match=r"made with the keys \['v7'\], and the secret has only \['v1'\]"):
        KEYS.renewed("token", "v7")


def test_the_last_key_of_the_secret_is_the_newest():
    keys = parse_pii_keys(secret(("v1", encoded(ONE)), ("v2", base64url(TWO))))

    assert (keys.current, dict(keys.keys)) == ("v2", {"v1": ONE, "v2": TWO})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must be JSON"),
        ("CANARY-KEY", "must be JSON"),
        ('["CANARY-KEY"]', "must be JSON"),
        ('{"keys": []}', "must be JSON"),
        ('{"keys": ["CANARY-KEY"]}', r"keys\[0\] .* must be an object"),
        ('{"keys": [{"version": "v1", "key": "x", "CANARY-KEY": 1}]}', r"keys\[0\] .* must be an object"),
        (secret(("v 1", encoded(ONE))), r"keys\[0\].version"),
        (secret(("v1", encoded(ONE)), ("v2", "CANARY-KEY")), r"keys\[1\].key .* at least 32 random bytes"),
        (secret(("v1", encoded(b"CANARY-KEY"))), r"keys\[0\].key .* at least 32 random bytes"),
        (secret(("v1", encoded(ONE)), ("v1", encoded(TWO))), "a version twice"),
    ],
)
def test_keys_that_can_not_be_used_are_refused_and_never_shown(text, told):
    with pytest.raises(BadKeys, match=told) as refused:
        parse_pii_keys(text)

    assert "CANARY-KEY" not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__context__ is None


def test_keys_do_not_show_themselves_and_reach_sparks_workers():
    keys = PiiKeys({"v1": b"CANARY-KEY".ljust(32, b"x")})

    assert "CANARY-KEY" not in repr(keys)
    assert pickle.loads(pickle.dumps(keys)) == keys


def test_tokens_take_the_place_of_personal_columns_alone():
    rows = pa.table({"id": [1, 2], "nome": ["Ana", None], "uf": ["SP", "RJ"]})

    found = tokenised(rows, ["nome"], PiiKeys({"v1": ONE, "v2": TWO}))

    assert found.column_names == ["id", "nome", "uf", "pii_key_version"]
    assert found["nome"].to_pylist() == [PiiKeys({"v1": ONE, "v2": TWO}).token("nome", "Ana"), None]
    assert found["pii_key_version"].to_pylist() == ["v2", "v2"]
