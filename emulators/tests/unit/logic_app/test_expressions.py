import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.logic_app.expressions import BadExpression, ExpressionFailed, calls_in, parts_of, rendered
from emulators.logic_app.functions import functions_of

BODY = {"kind": "alert", "rows": 7, "limits": {"low": 1500.0, "median": None}, "window": None, "list": ["é", {"n": 2}]}
FUNCTIONS = functions_of(body=BODY, parameters={"to": "a@b.example"}, outputs={"Find": {"statusCode": 404}}, now="T")


def value(text):
    return rendered(text, FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("@triggerBody()?['rows']", 7),
        ("@TriggerBody()['rows']", 7),
        ("@outputs('Find')?['statusCode']", 404),
        ("@{triggerBody()?['rows']}", "7"),
        ("rows: @{triggerBody()?['rows']}, low: @{triggerBody()?['limits']?['low']}.", "rows: 7, low: 1500."),
        ("none: @{triggerBody()?['window']}!", "none: !"),
        ("@coalesce(triggerBody()?['limits']?['median'], 'not known')", "not known"),
        ("@replace('it''s', '''', '-')", "it-s"),
        ("@encodeURIComponent('a/b c:d')", "a%2Fb%20c%3Ad"),
        ("@utcNow()", "T"),
        ("@@literal", "@literal"),
        ("mail to a@b.example", "mail to a@b.example"),
    ],
)
def test_a_text_is_rendered_as_the_language_says(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x @@{utcNow()} y", "x @{utcNow()} y"),
        ("@{utcNow()}@@{utcNow()}@{utcNow()}", "T@{utcNow()}T"),
        ("a @@ b", "a @@ b"),
        ("@", "@"),
        ("limits: @{triggerBody()['limits']}", 'limits: {"low":1500.0,"median":null}'),
        ("@{triggerBody()['list']}", '["é",{"n":2}]'),
        ("@encodeURIComponent(null)", ""),
        ("@encodeURIComponent(5)", "5"),
        ("@triggerBody()['list'][0]", "é"),
        ("@triggerBody().list[1].n", 2),
        ("@triggerBody()?.list?[7]", None),
        ("@triggerBody()?.nothing?.at?.all", None),
        ("@True", True),
        ("@FALSE", False),
        ("@1e3", 1000.0),
        ("@{1e3}", "1000"),
        ("@-2.5E-1", -0.25),
    ],
)
def test_a_text_is_rendered_as_microsofts_own_engine_renders_it(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    ["@replace('abc', '', 'z')", "@coalesce()", "@replace('abc', 'b')", "@replace(5, '5', '6')", "@utcNow(1, 2)"],
)
def test_a_function_fails_where_microsofts_own_engine_fails(text):
    with pytest.raises(ExpressionFailed):
        value(text)


def test_objects_and_lists_are_rendered_throughout():
    assert value({"a": ["@triggerBody()?['rows']", 1, None, True]}) == {"a": [7, 1, None, True]}


@pytest.mark.parametrize(
    "text",
    [
        "@triggerBody()['rowz']",
        "@triggerBody()['window']['start']",
        "@utcNow()?['x']",
        "@triggerBody().rowz",
        "@triggerBody().list[2]",
        "@triggerBody().list[True]",
    ],
)
def test_a_member_that_is_not_there_fails_unless_it_is_asked_for_kindly(text):
    with pytest.raises(ExpressionFailed, match="no property"):
        value(text)


@pytest.mark.parametrize(
    "text",
    [
        "@ ",
        "@triggerBody(). ",
        "@triggerBody()?.[0]",
        "@triggerBody(",
        "@triggerBody()?['a'",
        "@{utcNow()",
        "@utcNow() x",
        "@a.b",
        "@f(1 2)",
        "@'open",
    ],
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(BadExpression, match="at character"):
        parts_of(text)


def test_every_call_is_found_however_deep():
    found = calls_in({"a": ["@{replace(string(f()), 'x', g()?[h()])}"], "b": 1})

    assert [call.name for call in found] == ["replace", "string", "f", "g", "h"]


@given(st.text().filter(lambda text: "@" not in text))
def test_a_text_without_an_at_sign_is_left_alone(text):
    assert value(text) == text


@given(st.text())
def test_any_string_can_be_written_as_a_literal(text):
    assert value("@coalesce('" + text.replace("'", "''") + "')") == text
