"""What the jobs hand to the wheel is what the wheel takes, and what it would take by itself."""

from dataclasses import MISSING, fields

from lakehouse.config import MaintenanceParameters, Parameters


def test_the_wheel_knows_every_parameter_and_gets_all_that_it_needs(arguments):
    assert set(arguments) == {field.name for field in fields(Parameters)}


def test_maintenance_gets_what_it_needs(maintenance):
    assert set(maintenance) == {field.name for field in fields(MaintenanceParameters)}


def test_the_bundles_defaults_are_the_wheels(arguments, maintenance):
    names = (
        "trigger_interval",
        "recount_every",
        "max_events_a_batch",
        "max_files_a_batch",
        "capture_settle",
        "event_hubs_secret",
        "options",
        "storage_secret",
        "pii_secret",
    )
    defaults = {one.name: one.default for one in fields(Parameters) if one.default is not MISSING}
    of_maintenance = {one.name: one.default for one in fields(MaintenanceParameters)}

    assert {name: arguments[name] for name in names} == {name: defaults[name] for name in names}
    assert maintenance["kept_days"] == of_maintenance["kept_days"]
