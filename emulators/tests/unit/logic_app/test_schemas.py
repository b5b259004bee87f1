import pytest

from emulators.logic_app.schemas import UnknownSchema, check_schema, complaints

SCHEMA = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[a-z]*$"},
        "kind": {"enum": ["alert"]},
        "rows": {"type": "integer"},
        "limits": {"type": ["object", "null"], "properties": {"low": {"type": ["number", "null"]}}},
    },
}
GOOD = {"id": "a", "kind": "alert"}


@pytest.mark.parametrize("more", [{}, {"rows": -1}, {"limits": None}, {"limits": {"low": 1.5}}, {"strange": 1}])
def test_what_fits_has_no_complaint(more):
    assert list(complaints(GOOD | more, SCHEMA)) == []


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ([], "Invalid type. Expected Object but got Array."),
        ("text", "Invalid type. Expected Object but got String."),
        ({"id": "a"}, "Required properties are missing from object: kind."),
        (GOOD | {"kind": "x"}, "Value is not defined in enum. Path 'kind'."),
        (GOOD | {"id": ""}, "String is less than minimum length of 1. Path 'id'."),
        (GOOD | {"id": "abcd"}, "String exceeds maximum length of 3. Path 'id'."),
        (GOOD | {"id": "A"}, "String does not match regex pattern '^[a-z]*$'. Path 'id'."),
        (GOOD | {"rows": 1.5}, "Invalid type. Expected Integer but got Number. Path 'rows'."),
        (GOOD | {"rows": True}, "Invalid type. Expected Integer but got Boolean. Path 'rows'."),
        (GOOD | {"limits": {"low": "x"}}, "Invalid type. Expected Number, Null but got String. Path 'limits.low'."),
    ],
)
def test_what_does_not_fit_is_named_as_azure_phrases_it(value, complaint):
    assert list(complaints(value, SCHEMA)) == [complaint]


def test_a_schema_that_would_not_be_checked_whole_is_refused():
    check_schema(SCHEMA)

    with pytest.raises(UnknownSchema, match="of rows has minimum"):
        check_schema({"properties": {"rows": {"minimum": 1}}})
    with pytest.raises(UnknownSchema, match="the type date"):
        check_schema({"type": "date"})
