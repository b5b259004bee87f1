"""Where Azurite is looked for."""

import pytest

from emulators.storage.azurite import installed_azurite

SCRIPT = "node_modules/azurite/dist/src/azurite.js"


@pytest.fixture
def install(tmp_path):
    def make(folder):
        script = tmp_path / folder / SCRIPT
        script.parent.mkdir(parents=True)
        script.touch()
        return script

    return make


def test_azurite_of_the_nearest_folder_is_taken(tmp_path, install):
    install("a")
    nearest = install("a/b")
    (tmp_path / "a/b/c").mkdir()

    assert installed_azurite(tmp_path / "a/b/c") == nearest


def test_azurite_that_is_nowhere_is_expected_in_the_folder_itself(tmp_path):
    assert installed_azurite(tmp_path / "a") == tmp_path / "a" / SCRIPT
