import pytest

from emulators.databricks.substitution import filled

VALUES = {"job.parameters.window_id": "w", "job.run_id": "7"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--id={{job.parameters.window_id}}-{{ job.run_id }}", "--id=w-7"),
        ("{{job.parameters.[window_id]}}", "w"),
        ("{{secrets/scope/key}}", "{{secrets/scope/key}}"),
        ("{{other.name}}", "{{other.name}}"),
        ("plain {}", "plain {}"),
    ],
)
def test_a_runs_values_are_put_into_an_argument_and_other_name_spaces_left(text, expected):
    assert filled(text, VALUES) == expected


def test_a_value_that_looks_like_a_reference_is_not_filled_again():
    assert filled("{{job.run_id}}", {"job.run_id": "{{job.run_id}}"}) == "{{job.run_id}}"


def test_a_misspelt_reference_is_named_with_those_known():
    with pytest.raises(LookupError, match=r"job\.parameters\.windowid.*known are job\.parameters\.window_id"):
        filled("{{job.parameters.windowid}}", VALUES)
