"""The doctor, in worlds of our making."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.tls import make_tls_files
from local.doctor import Machine, examine
from local.platform.state import held_state

ROOT = Path(__file__).parents[3]
JAVA = 'openjdk version "17.0.13" 2024-10-15\n'
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def machine(tmp_path):
    wanted = {"azurite": "3.35.0", "@vercel/cosmosdb-server": "1.0.1"}
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": wanted}))
    for name, version in wanted.items():
        package = tmp_path / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": version}))
    (tmp_path / "local.settings.sample.json").write_text(json.dumps({"Values": {"FEEDS": "", "WINDOW_TIMER": ""}}))
    (tmp_path / ".cache" / "jars").mkdir(parents=True)
    (tmp_path / ".cache" / "jars" / "delta-spark_4.1_2.13-4.2.0.jar").touch()
    (tmp_path / ".venv-lakehouse" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-lakehouse" / "bin" / "python").touch()
    programs = {"node": "v20.20.2\n", "cc": "cc 13", "java": JAVA, "javac": "javac 17", "mvn": "Apache Maven 3.8.7"}
    return Machine(
        root=tmp_path,
        python=(3, 13),
        prefix=tmp_path / ".venv",
        now=NOW,
        program=lambda command: programs.get(command[0]),
        imports=lambda module: True,
        port_taken=lambda port: False,
    )


def bad(machine):
    return [(finding.verdict, finding.subject) for finding in examine(machine) if finding.verdict != "ok"]


def advice(machine):
    return next(finding.advice for finding in examine(machine) if finding.verdict != "ok")


def test_sound_machine_has_nothing_to_say(machine):
    assert bad(machine) == []


def test_other_python_is_wrong(machine):
    assert bad(replace(machine, python=(3, 11))) == [("wrong", "Python")]


def test_other_environment_than_the_clones_is_wrong(machine, tmp_path):
    assert bad(replace(machine, prefix=tmp_path / "elsewhere")) == [("wrong", "Python")]


def test_packages_that_are_not_there_are_named(machine):
    poor = replace(machine, imports=lambda module: module not in {"trustme", "proton"})

    assert bad(poor) == [("missing", "packages"), ("missing", "proton")]
    assert "trustme" in advice(poor)


def test_machine_without_node_and_compiler_is_told_to_install_them(machine):
    bare = replace(machine, program=lambda command: None)

    assert bad(bare) == [("missing", name) for name in ("C compiler", "Node.js", "Java", "Maven")]


def test_old_node_is_wrong(machine):
    old = replace(machine, program=lambda command: "v18.19.0\n" if command[0] == "node" else JAVA)

    assert bad(old) == [("wrong", "Node.js")]
    assert "v18.19.0" in advice(old)


def test_java_that_spark_does_not_start_on_is_wrong(machine):
    new = replace(machine, program=lambda command: JAVA.replace("17", "25") if command[0] == "java" else "v20.0.0")

    assert bad(new) == [("wrong", "Java")]
    assert "does not start" in advice(new)


def test_java_without_its_compiler_is_missing(machine):
    without = replace(machine, program=lambda command: None if command[0] == "javac" else machine.program(command))

    assert bad(without) == [("missing", "JDK")]
    assert "`make test` compiles a client and needs it, `make run` does not" in advice(without)


def test_absent_lakehouse_is_missing(machine, tmp_path):
    (tmp_path / ".venv-lakehouse" / "bin" / "python").unlink()

    assert bad(machine) == [("missing", "lakehouse")]


def test_absent_azurite_is_missing(machine, tmp_path):
    (tmp_path / "node_modules" / "azurite" / "package.json").unlink()

    assert bad(machine) == [("missing", "Azurite")]


def test_azurite_of_another_version_is_wrong(machine, tmp_path):
    (tmp_path / "node_modules" / "azurite" / "package.json").write_text(json.dumps({"version": "3.37.0"}))

    assert bad(machine) == [("wrong", "Azurite")]


def test_absent_stand_in_for_cosmos_is_missing(machine, tmp_path):
    (tmp_path / "node_modules" / "@vercel" / "cosmosdb-server" / "package.json").unlink()

    assert bad(machine) == [("missing", "Cosmos DB")]


def test_clock_of_the_past_is_wrong(machine):
    assert bad(replace(machine, now=datetime(2020, 1, 1, tzinfo=UTC))) == [("wrong", "clock")]


def test_taken_ports_are_named(machine):
    busy = replace(machine, port_taken=lambda port: port == 5671)

    assert bad(busy) == [("wrong", "ports")]
    assert "event_hubs 5671" in advice(busy)


def test_ports_of_our_own_platform_are_in_order(machine, tmp_path):
    with held_state(tmp_path / ".local" / "up") as state:
        make_tls_files(state.tls)

        assert bad(replace(machine, now=datetime.now(UTC), port_taken=lambda port: True)) == []


def test_certificate_that_is_not_valid_yet_is_wrong(machine, tmp_path):
    with held_state(tmp_path / ".local" / "up") as state:
        make_tls_files(state.tls)

        assert bad(replace(machine, now=datetime(1999, 1, 1, tzinfo=UTC)))[-1] == ("wrong", "state up")


def test_state_of_a_killed_platform_is_wrong(machine, tmp_path):
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "run.running").write_text("4711")

    assert bad(machine) == [("wrong", "state run")]


def test_settings_that_lack_a_key_of_the_sample_name_it(machine, tmp_path):
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {"FEEDS": "trades"}}))

    assert bad(machine) == [("missing", "local.settings.json")]
    assert "WINDOW_TIMER" in advice(machine)


def test_settings_that_are_not_json_are_wrong(machine, tmp_path):
    (tmp_path / "local.settings.json").write_text("{")

    assert bad(machine) == [("wrong", "local.settings.json")]


def test_doctor_imports_nothing_that_set_up_installs():
    code = "import sys, local.__main__, local.doctor; print(*sorted({name.split('.')[0] for name in sys.modules}))"

    bare = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(bare.stdout.split()) <= {*sys.stdlib_module_names, "local", "__main__"}
