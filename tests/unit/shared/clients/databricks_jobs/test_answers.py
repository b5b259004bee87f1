"""The table of Databricks' words: each row means what it says, whatever its status."""

import json

import pytest

from shared.clients.databricks_jobs.answers import AMBIGUOUS_WORDS, BY_CODE, TRANSIENT_WORDS, meaning_of
from shared.domain.failures import FailureKind

THROTTLED, UNAVAILABLE, UNAUTHORIZED, _, PERMANENT = FailureKind


def body(code="", message="Its words."):
    return json.dumps({"error_code": code, "message": message, "details": [{"@type": "x"}]})


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
def test_a_code_counts_for_more_than_its_status(code, kind):
    assert meaning_of(400, body(code)) == (kind, "Its words.", False)


@pytest.mark.parametrize("words", TRANSIENT_WORDS)
def test_words_that_the_own_sdk_retries_pass(words):
    assert meaning_of(400, body("INVALID_STATE", f"Sorry: {words} x")).kind is UNAVAILABLE


@pytest.mark.parametrize("words", AMBIGUOUS_WORDS)
@pytest.mark.parametrize(("status", "code"), [(403, 403), (403, "PERMISSION_DENIED"), (401, "")])
def test_a_token_that_may_have_run_out_on_its_way_is_an_ambiguous_refusal(words, status, code):
    assert meaning_of(status, body(code, f"{words}.")) == (UNAUTHORIZED, f"{words}.", True)


def test_a_missing_permission_is_beyond_doubt():
    assert meaning_of(403, body("PERMISSION_DENIED")) == (UNAUTHORIZED, "Its words.", False)


@pytest.mark.parametrize(
    ("status", "kind"), [(404, PERMANENT), (429, THROTTLED), (500, UNAVAILABLE), (403, UNAUTHORIZED)]
)
@pytest.mark.parametrize("body_text", ["", "<html>", "[]", '{"error_code": 404}', '{"error_code": "NEW"}'])
def test_without_a_known_code_the_status_counts(status, kind, body_text):
    assert meaning_of(status, body_text).kind is kind


def test_a_refusal_without_a_message_is_told_as_it_came():
    assert meaning_of(502, "<html>bad gateway").words == "<html>bad gateway"
