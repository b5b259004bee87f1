"""The hubs that a platform has by default."""

import json

from local.platform.options import default_hubs, with_named_hubs


def write(folder, name, **schema):
    (folder / f"{name}.schema.json").write_text(json.dumps(schema))


def test_each_record_contract_has_a_hub_and_no_other_document_has(tmp_path):
    write(tmp_path, "stars.v1", **{"title": "stars/1", "x-key": ["id"]})
    write(tmp_path, "gps.v1", **{"title": "gps/1", "x-key": ["id"]})
    write(tmp_path, "closed.v1", title="closed/1")

    assert default_hubs(tmp_path) == "gps:4,stars:4"


def test_two_versions_of_a_contract_share_a_hub(tmp_path):
    write(tmp_path, "stars.v1", **{"title": "stars/1", "x-key": ["id"]})
    write(tmp_path, "stars.v2", **{"title": "stars/2", "x-key": ["id"]})

    assert default_hubs(tmp_path) == "stars:4"


def test_hubs_that_settings_name_are_as_large_as_their_streams_own():
    settings = {"TRADES_HUB": "market", "STARS_HUBS": "a, b,", "TASKHUB_NAME": "Other", "GPS_HUBS": "c"}

    assert with_named_hubs("trades:4,stars:10", settings) == "a:10,b:10,market:4,stars:10,trades:4"
