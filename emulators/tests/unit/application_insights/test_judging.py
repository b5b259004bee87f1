from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.application_insights.bodies import Item
from emulators.application_insights.judging import judge
from emulators.application_insights.rows import row_of
from tests.unit.application_insights.conftest import BASES, KEY, NOW, envelope, item

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
REQUIRED = [
    *(("MessageData", field) for field in ("ver", "message")),
    *(("MetricData", field) for field in ("ver", "metrics")),
    *(("RequestData", field) for field in ("ver", "id", "duration", "success", "responseCode")),
    *(("RemoteDependencyData", field) for field in ("ver", "name", "duration")),
    *(("ExceptionData", field) for field in ("ver", "exceptions")),
]


def words(content, now=NOW):
    rejection = judge(item(content), KEY, now)
    return "" if rejection is None else rejection.message


def test_each_kind_is_accepted(kind):
    assert judge(item(envelope(kind)), KEY, NOW) is None


@pytest.mark.parametrize("field", ["name", "time", "iKey", "data"])
def test_an_envelope_without_a_required_field_is_refused_by_its_name(field):
    assert words(envelope(**{field: None})) == (
        f"109: Field '{field}' on type 'Envelope' is required but missing or empty. Expected: string, Actual: undefined"
    )


@pytest.mark.parametrize(("kind", "field"), REQUIRED)
def test_data_without_a_required_field_is_refused_by_its_name(kind, field):
    assert words(envelope(kind, base={field: None})).startswith(f"109: Field '{field}' on type '{kind}' is required")


@pytest.mark.parametrize(("kind", "field"), [("MessageData", "message"), ("RemoteDependencyData", "name")])
def test_an_empty_text_is_a_missing_one(kind, field):
    assert words(envelope(kind, base={field: ""})).startswith(f"109: Field '{field}'")


@pytest.mark.parametrize(
    ("kind", "base", "expected"),
    [
        ("MessageData", {"message": "x" * 32_769}, "'message' on type 'MessageData' is too long. Expected: 32768"),
        ("MessageData", {"properties": {"k" * 151: ""}}, "Expected: 150 characters, Actual: 151"),
        ("MessageData", {"properties": {"k": "v" * 8_193}}, "'properties.k' on type 'MessageData' is too long"),
        ("MetricData", {"metrics": [{"name": "n" * 151, "value": 1}]}, "'name' on type 'DataPoint' is too long"),
        ("RemoteDependencyData", {"name": "n" * 1_025}, "'name' on type 'RemoteDependencyData' is too long"),
        ("RemoteDependencyData", {"data": "n" * 8_193}, "Expected: 8192 characters, Actual: 8193"),
        ("ExceptionData", {"exceptions": [{"message": "x" * 32_769}]}, "'message' on type 'ExceptionDetails'"),
    ],
)
def test_what_is_too_long_is_refused_with_the_limit(kind, base, expected):
    assert words(envelope(kind, base=base)).startswith("100: ")
    assert expected in words(envelope(kind, base=base))


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        ("MessageData", {"message": "x" * 32_768}),
        ("MessageData", {"properties": {"k" * 150: "v" * 8_192}}),
        ("MetricData", {"metrics": [{"name": "n" * 150, "value": 1}]}),
        ("RemoteDependencyData", {"name": "n" * 1_024, "data": "d" * 8_192}),
    ],
)
def test_what_is_as_long_as_it_may_be_is_accepted(kind, base):
    assert words(envelope(kind, base=base)) == ""


def test_the_name_of_an_operation_has_a_limit_of_its_own():
    assert words(envelope(tags={"ai.operation.name": "n" * 1_025})) == (
        "100: Field 'ai.operation.name' on type 'ContextTagKeys' is too long. Expected: 1024 characters, Actual: 1025"
    )


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        ("MessageData", {"ver": "2"}),
        ("MessageData", {"message": 1}),
        ("MessageData", {"severityLevel": 5}),
        ("MessageData", {"severityLevel": True}),
        ("MessageData", {"properties": {"window": 1}}),
        ("MessageData", {"measurements": {"window": "1"}}),
        ("MetricData", {"metrics": [1]}),
        ("MetricData", {"metrics": [{"name": "n", "value": "1"}]}),
        ("MetricData", {"metrics": [{"name": "n", "value": 2**64}]}),
        ("RequestData", {"success": "true"}),
        ("RemoteDependencyData", {"duration": "1 s"}),
        ("ExceptionData", {"exceptions": {}}),
    ],
)
def test_a_value_of_another_type_is_refused(kind, base):
    assert "has the wrong type" in words(envelope(kind, base=base))


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-11-28T04:59:59", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_without_a_zone_or_that_is_none_is_refused(time):
    assert words(envelope(time=time)).startswith("102: Field 'time' on type 'Envelope' is not a valid time string.")


def test_a_time_of_more_than_two_days_ago_is_refused():
    two_days = NOW - timedelta(hours=48)

    assert words(envelope(time=two_days.isoformat())) == ""
    assert words(envelope(time=(two_days - timedelta(milliseconds=1)).isoformat())) == (
        "103: Field 'time' on type 'Envelope' is older than the allowed min date."
        " Expected: now - 172800000ms, Actual: now - 172800001ms"
    )


def test_another_instrumentation_key_is_refused_and_its_case_does_not_matter():
    assert words(envelope(iKey="another")) == "Invalid instrumentation key"
    assert judge(item(envelope(iKey="aBcD")), "AbCd", NOW) is None


@pytest.mark.parametrize("rate", [0, -1, 101, "50", True])
def test_a_rate_that_is_none_is_refused(rate):
    assert "sampleRate" in words(envelope(sampleRate=rate))


def test_an_item_of_more_than_64_kb_is_refused():
    properties = {f"p{number}": "v" * 8_000 for number in range(9)}

    assert "bytes. Expected: 65536 bytes" in words(envelope(base={"properties": properties}))


@pytest.mark.parametrize(
    "data", [{"baseType": "EventData", "baseData": {"ver": 2, "name": "n"}}, {"baseType": "x"}, {}]
)
def test_kinds_that_are_not_kept_are_refused_by_name(data):
    assert "'baseType' on type 'Data' is none of MessageData" in words(envelope(data=data))


@given(ANY)
def test_anything_that_is_no_item_is_refused(content):
    assert judge(Item(content, 1), KEY, NOW) is not None


@given(st.sampled_from(sorted(BASES)), st.dictionaries(st.sampled_from(["tags", "sampleRate", "time"]), ANY), st.data())
def test_whatever_is_accepted_becomes_a_row(kind, changes, data):
    fields = st.sampled_from([*BASES[kind], "properties", "measurements", "name", "success", "id", "metrics"])
    content = envelope(kind, base=data.draw(st.dictionaries(fields, ANY, max_size=3)), **changes)

    if judge(item(content), KEY, NOW) is None:
        assert row_of(item(content), NOW)[1]["TimeGenerated"].endswith("Z")
