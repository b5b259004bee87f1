import json

import pytest

from shared.domain.setting import Setting, text
from shared.settings.keys import Group
from shared.settings.listing import documented, sample

GROUPS = [Group("Colors", (Setting("COLOR", text, "red", "The color."), Setting("SHADE", text, None, "The shade.")))]
DOCUMENT = """# Settings

## Colors

Words about colors.

| setting | default | meaning |
|---|---|---|
| `OLD` | `1` | Gone. |

## Others

| setting | default | meaning |
|---|---|---|
| `KEPT` | `1` | Kept. |
"""


def test_the_sample_has_every_setting_as_functions_tools_read_it():
    values = json.loads(sample(GROUPS))["Values"]

    assert values["COLOR"] == "red"
    assert values["SHADE"] == ""
    assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"


def test_a_groups_table_is_replaced_and_nothing_else():
    document = documented(DOCUMENT, GROUPS)

    assert "| `COLOR` | `red` | The color. |\n| `SHADE` | must be set | The shade. |\n\n## Others" in document
    assert "`OLD`" not in document
    assert "Words about colors." in document
    assert "`KEPT`" in document


def test_a_group_without_its_part_of_the_document_is_named():
    with pytest.raises(ValueError, match="no part 'Shapes'"):
        documented(DOCUMENT, [Group("Shapes", ())])
