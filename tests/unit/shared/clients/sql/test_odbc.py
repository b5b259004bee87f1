import struct

import pytest

from shared.clients.sql import odbc as odbc_driver
from shared.clients.sql.odbc import Server, brought_driver, choose_driver, driver_in, odbc_connection, token_bytes
from shared.errors import SettingsError

DRIVER_17, DRIVER_18 = "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server"
DEBIAN = {"ID": "debian"}


@pytest.fixture
def folder(tmp_path):
    for family, machine in [("debian_ubuntu", "x86_64"), ("debian_ubuntu", "arm64"), ("rhel", "x86_64")]:
        libraries = tmp_path / "linux" / family / machine / "lib"
        libraries.mkdir(parents=True)
        for name in ("libmsodbcsql-18.6.so.2.1", "libodbcinst.so.2"):
            (libraries / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [([DRIVER_17, DRIVER_18], DRIVER_18), ([DRIVER_17, "SQLite3"], DRIVER_17), ([DRIVER_18], DRIVER_18)],
)
def test_the_newest_driver_is_chosen(installed, chosen):
    assert choose_driver(installed) == chosen


def test_a_driver_of_the_system_goes_before_the_one_of_the_package():
    assert choose_driver([DRIVER_17], lambda: "/a/driver.so") == DRIVER_17


def test_where_the_system_has_none_the_package_brings_one():
    assert choose_driver(["SQLite3"], lambda: "/a/driver.so") == "/a/driver.so"


def test_without_any_the_error_names_all_that_would_do():
    with pytest.raises(SettingsError, match=r"ODBC Driver 18.*ODBC Driver 17.*mssql-python-odbc"):
        choose_driver(["SQLite3"], lambda: None)


@pytest.mark.parametrize(
    ("release", "machine", "place"),
    [
        (DEBIAN, "x86_64", "debian_ubuntu/x86_64"),
        (DEBIAN, "aarch64", "debian_ubuntu/arm64"),
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "x86_64", "debian_ubuntu/x86_64"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "x86_64", "rhel/x86_64"),
        ({"ID": "azurelinux"}, "x86_64", "rhel/x86_64"),
        ({}, "x86_64", "debian_ubuntu/x86_64"),
    ],
)
def test_the_driver_of_the_package_is_the_one_for_this_system(folder, release, machine, place):
    assert driver_in(folder, release, machine) == str(folder / "linux" / place / "lib/libmsodbcsql-18.6.so.2.1")


@pytest.mark.parametrize(("release", "machine"), [({"ID": "alpine"}, "x86_64"), (DEBIAN, "riscv64")])
def test_a_system_that_the_package_has_nothing_for_gets_none(folder, release, machine):
    assert driver_in(folder, release, machine) is None


def test_without_the_package_there_is_no_driver_of_it(monkeypatch):
    monkeypatch.setattr(odbc_driver, "_PACKAGE", "a_package_that_nobody_made")

    assert brought_driver() is None


def test_a_token_is_its_length_and_then_utf_16():
    packed = token_bytes("aé")

    assert packed == b"\x04\x00\x00\x00a\x00\xe9\x00"
    assert struct.unpack("<I", packed[:4])[0] == len(packed) - 4


def test_the_connection_string_encrypts_and_says_nothing_of_a_login():
    text = odbc_connection(Server("sql.example", 1433, "tra}des;UID=sa"), DRIVER_18)

    assert text == (
        "Driver={ODBC Driver 18 for SQL Server};Server={tcp:sql.example,1433};Database={tra}}des;UID=sa};"
        "Encrypt=yes;TrustServerCertificate=no"
    )
