"""Print a bundle as it would be deployed: `python -m emulators.databricks.deployment <folder> [<target> …]`.

Without a target all of them. One line of JSON a target: `target`, `needs` (the variables that have no value; `<name>`
stands in their place), `resources` by kind and key. It ends with code 1 and the reason where one can't be deployed.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulators.databricks.bundle import read_bundle
from emulators.databricks.declaration import read_declaration, targets_of
from emulators.databricks.definitions import BundleError


def deployment_of(folder: Path, target: str) -> dict[str, Any]:
    """Give a target's resources. Raise BundleError."""
    needs = read_declaration(folder, target).needed({})
    bundle = read_bundle(folder, target, {name: f"<{name}>" for name in needs})
    return {"target": target, "needs": needs, "resources": bundle.resources}


def main(arguments: Sequence[str]) -> None:
    """Print every target that the arguments name."""
    folder, *targets = arguments
    try:
        for target in targets or targets_of(Path(folder)):
            print(json.dumps(deployment_of(Path(folder), target)))
    except BundleError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
