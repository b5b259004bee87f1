"""How the app settings are listed for people: the sample of a local project, and the tables of docs/settings.md."""

import json
import re
from collections.abc import Iterable

from shared.domain.setting import Setting
from shared.settings.keys import Group

# The words by which Functions tools know a local Python project, and the storage of Azurite.
_LOCAL = {"FUNCTIONS_WORKER_RUNTIME": "python", "AzureWebJobsStorage": "UseDevelopmentStorage=true"}
_HEAD = "| setting | default | meaning |\n|---|---|---|\n"
_TABLE = re.compile(r"^\| setting \| default \| meaning \|\n\|---\|---\|---\|\n(?:\|[^\n]*\n)*", re.MULTILINE)


def sample(groups: Iterable[Group]) -> str:
    """Write local.settings.sample.json: every setting with its default, blank where there is none."""
    values = {each.name: each.default or "" for group in groups for each in group.settings}
    document = {"IsEncrypted": False, "Values": _LOCAL | values | _LOCAL}
    return json.dumps(document, indent=2) + "\n"


def documented(document: str, groups: Iterable[Group]) -> str:
    """Write the table of each group into the part of docs/settings.md that has its title.

    Raises ValueError for a group whose part is missing, or has no table.
    """
    for group in groups:
        begin = document.find(f"\n## {group.title}\n")
        table = _TABLE.search(document, begin) if begin >= 0 else None
        if table is None:
            raise ValueError(f"docs/settings.md has no part {group.title!r} with a table of settings")
        document = document[: table.start()] + _HEAD + "".join(map(_row, group.settings)) + document[table.end() :]
    return document


def _row(setting: Setting) -> str:
    default = {None: "must be set", "": "–"}.get(setting.default, f"`{setting.default}`")
    return f"| `{setting.name}` | {default} | {setting.meaning} |\n"
