"""The table of the words of token endpoints: each row means what it says, whatever stands around it."""

import json

import pytest

from shared.clients.identity.answers import BY_CODE, BY_ERROR, meaning_of
from shared.domain.failures import FailureKind

THROTTLED, UNAVAILABLE, UNAUTHORIZED, *_ = FailureKind


def body(error="", code=0, words="Its words."):
    description = f"AADSTS{code}: {words} Trace ID: 1 Correlation ID: 2 Timestamp: 3"
    return json.dumps(
        {"error": error, "error_description": description, "error_codes": [code], "claims": None}
    ).encode()


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
@pytest.mark.parametrize("error", ["invalid_grant", "invalid_request"])
def test_a_code_counts_for_more_than_the_error_it_comes_with(code, kind, error):
    assert meaning_of(400, body(error, code)).kind is kind


@pytest.mark.parametrize(("error", "kind"), BY_ERROR.items())
def test_an_error_without_a_known_code_means_what_the_table_says(error, kind):
    assert meaning_of(400, body(error, 1)).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"), [(429, THROTTLED), (500, UNAVAILABLE), (502, UNAVAILABLE), (503, THROTTLED)]
)
@pytest.mark.parametrize("said", [b"", b"<html>", b"[]", b"null", body("server_error")])
def test_a_status_that_passes_needs_no_words(status, kind, said):
    assert meaning_of(status, said).kind is kind


@pytest.mark.parametrize("status", [400, 401, 403])
def test_what_nobody_knows_is_a_refusal(status):
    assert meaning_of(status, body("something_new", 999)).kind is UNAUTHORIZED


@pytest.mark.parametrize("status", [404, 410])
def test_a_managed_identity_that_is_being_updated_passes_and_an_entra_without_it_does_not(status):
    assert meaning_of(status, b"", of_managed_identity=True).kind is UNAVAILABLE
    assert meaning_of(status, b"").kind is UNAUTHORIZED


def test_a_managed_identity_that_is_not_there_is_refused_in_the_endpoints_words():
    words = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
    meaning = meaning_of(400, json.dumps({"statusCode": 400, "message": words}).encode(), of_managed_identity=True)

    assert (meaning.kind, meaning.words) == (UNAUTHORIZED, words)


def test_the_words_are_one_sentence_without_ids():
    assert meaning_of(401, body("invalid_client", 7000215)).words == "AADSTS7000215: Its words."


def test_an_answer_without_words_says_its_status():
    assert meaning_of(502, b"<html>").words == "it answered 502 without words"
