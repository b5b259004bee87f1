import json

import pytest

from emulators.functions_host.app_settings import apply_settings
from emulators.functions_host.errors import AppRefused


def apply(tmp_path, document, environment):
    path = tmp_path / "local.settings.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    apply_settings(path, environment)
    return environment


def test_the_environment_wins_over_the_file(tmp_path):
    environment = apply(tmp_path, {"Values": {"A": "file", "B": "file"}}, {"A": "environment"})

    assert environment == {"A": "environment", "B": "file"}


def test_a_missing_file_changes_nothing(tmp_path):
    environment = {"A": "1"}

    apply_settings(tmp_path / "none.json", environment)

    assert environment == {"A": "1"}


@pytest.mark.parametrize(
    ("document", "named"),
    [("nonsense", "not JSON"), ({"IsEncrypted": True}, "encrypted"), ({"Values": {"N": 1}}, "Values.N")],
)
def test_a_file_that_core_tools_would_not_read_is_refused(tmp_path, document, named):
    with pytest.raises(AppRefused, match=named):
        apply(tmp_path, document, {})
