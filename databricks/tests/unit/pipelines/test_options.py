"""Numbers of tables' definitions that a target sets otherwise."""

import pytest

from lakehouse.gold.visao_assistentes import OPTIONS, TABLE
from lakehouse.pipelines.options import parse_options
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.request import InvalidParameter


def test_what_is_not_given_is_as_by_default():
    assert parse_options("{}", OPTIONS) == {"nps_detractor_to": 4, "nps_promoter_from": 6}
    assert parse_options('{"nps_promoter_from": 9}', OPTIONS) == {"nps_detractor_to": 4, "nps_promoter_from": 9}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("6", "options: expected a JSON object of numbers"),
        ("{", "options: '{' is no JSON"),
        ('{"nps": 6}', "options: there is no option 'nps'; there are nps_detractor_to, nps_promoter_from."),
        ('{"nps_promoter_from": "6"}', "nps_promoter_from is '6'; expected a whole number from 2 to 10."),
        ('{"nps_promoter_from": 6.5}', "nps_promoter_from is 6.5; expected"),
        ('{"nps_detractor_to": true}', "nps_detractor_to is True; expected"),
        ('{"nps_promoter_from": 11}', "nps_promoter_from is 11; expected"),
        ('{"nps_detractor_to": 0}', "nps_detractor_to is 0; expected"),
        (
            '{"nps_detractor_to": 6}',
            "nps_promoter_from is 6; it must be greater than nps_detractor_to, which is 6.",
        ),
    ],
)
def test_options_that_can_not_be_are_refused_by_name(text, message):
    with pytest.raises(InvalidParameter) as refused:
        parse_options(text, OPTIONS)

    assert message in str(refused.value)


def test_a_table_is_made_by_the_values_that_it_is_given():
    (given,) = Pipeline("call_centre", (TABLE,)).given({"nps_promoter_from": 9}).tables

    assert given.build.keywords == {"nps_detractor_to": 4, "nps_promoter_from": 9}
    assert (given.options, given.given({"nps_promoter_from": 2})) == ((), given)
