import pytest
from azure.cosmos.http_constants import StatusCodes, SubStatusCodes

from shared.clients.cosmos.answers import BY_STATUS, BY_SUBSTATUS, MAY_BE_STORED, meaning
from shared.domain.failures import FailureKind


@pytest.mark.parametrize(
    ("status", "substatus", "kind"),
    [
        (400, 0, FailureKind.REJECTED),
        (400, 1001, FailureKind.REJECTED),
        (400, 1024, FailureKind.UNAVAILABLE),
        (401, 0, FailureKind.UNAUTHORIZED),
        (403, 0, FailureKind.UNAUTHORIZED),
        (403, 5300, FailureKind.UNAUTHORIZED),
        (403, 3, FailureKind.UNAVAILABLE),
        (403, 1008, FailureKind.UNAVAILABLE),
        (403, 1014, FailureKind.REJECTED),
        (404, 0, FailureKind.PERMANENT),
        (404, 1002, FailureKind.UNAVAILABLE),
        (404, 1003, FailureKind.PERMANENT),
        (404, 1013, FailureKind.UNAVAILABLE),
        (408, 0, FailureKind.UNAVAILABLE),
        (409, 0, FailureKind.REJECTED),
        (410, 0, FailureKind.UNAVAILABLE),
        (410, 1002, FailureKind.UNAVAILABLE),
        (412, 0, FailureKind.REJECTED),
        (413, 0, FailureKind.REJECTED),
        (429, 0, FailureKind.THROTTLED),
        (429, 3200, FailureKind.THROTTLED),
        (449, 0, FailureKind.UNAVAILABLE),
        (500, 0, FailureKind.UNAVAILABLE),
        (501, 0, FailureKind.UNAVAILABLE),
        (503, 0, FailureKind.UNAVAILABLE),
        (302, 0, FailureKind.PERMANENT),
    ],
)
def test_an_answer_means(status, substatus, kind):
    assert meaning(status, substatus) is kind


def test_the_tables_have_only_what_microsofts_client_knows_too():
    statuses = {value for name, value in vars(StatusCodes).items() if name.isupper()}
    substatuses = {value for name, value in vars(SubStatusCodes).items() if name.isupper()}

    assert statuses >= BY_STATUS.keys()
    assert substatuses >= {substatus for _, substatus in BY_SUBSTATUS} - {1014}  # the .NET client's alone


def test_what_is_refused_is_never_thought_to_be_stored():
    refusals = {status for status, kind in BY_STATUS.items() if kind is not FailureKind.UNAVAILABLE}

    assert not MAY_BE_STORED & refusals
    assert not MAY_BE_STORED & {401, 403, 404, 410, 429, 449, 503}
