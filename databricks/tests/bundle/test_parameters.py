"""What the jobs hand to the wheel is what the wheel takes."""

from dataclasses import fields

from lakehouse.config import REQUIRED, Parameters


def test_the_wheel_knows_every_parameter_and_gets_all_that_it_needs(arguments):
    assert set(arguments) == {field.name for field in fields(Parameters)}
    assert set(arguments) >= set(REQUIRED)
