"""What the tests of storage share: Azurite on free ports, and a look at its processes."""

from pathlib import Path

import psutil
import pytest

from emulators.storage.azurite import installed_azurite, kept_azurite

FREE = {"blob": 0, "queue": 0, "table": 0}


@pytest.fixture
async def azurite(tmp_path):
    async with kept_azurite(installed_azurite(Path.cwd()), tmp_path, FREE) as addresses:
        yield addresses


@pytest.fixture
def azurite_processes(tmp_path):
    def find():
        children = psutil.Process().children(recursive=True)
        return [child for child in children if str(tmp_path) in " ".join(child.cmdline())]

    return find
