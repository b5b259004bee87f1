"""Hooks that run here, with stand-ins for the programs that reach Azure: what they hand to them, in which order."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from infra.checks.terraform import ROOT

GIVEN = {
    "APP_CLIENT_ID": "44444444-4444-4444-4444-444444444444",
    "APP_IDENTITY_NAME": "id-ingest-trial-app",
    "AZURE_ENV_NAME": "trial",
    "DATA_FACTORY_NAME": "adf-ingest-trial",
    "DATA_FACTORY_PRINCIPAL_ID": "66666666-6666-6666-6666-666666666666",
    "LAKEHOUSE_CLIENT_ID": "77777777-7777-7777-7777-777777777777",
    "SQL_DATABASE": "enrichment",
    "SQL_SERVER": "sql.example",
}
FACTORY = "99999999-9999-9999-9999-999999999999"
SQLCMD = """#!/bin/sh
printf '%s\\n' "$*" >>{log}
while [ "$1" != --input-file ]; do shift; done
cat "$2" >>{log}.sql
[ "$(wc -l <{log})" -gt {failures} ]
"""


class Programs:
    """Programs of that name, before all others on the PATH; each says what it was called with."""

    def __init__(self, folder: Path):
        self.folder, self.log = folder, folder / "calls"

    def add(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, hook, **variables):
        environment = {**os.environ, **GIVEN, **variables, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        words = ["sh", ROOT / "infra" / "hooks" / hook]
        return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def programs(tmp_path):
    found = Programs(tmp_path)
    found.add("az", f"#!/bin/sh\necho {FACTORY}\n")
    found.add("sleep", "#!/bin/sh\n")
    return found


@pytest.mark.parametrize("failures", [0, 2])
def test_the_grants_are_made_once_the_database_is_awake_and_then_those_of_the_factory(programs, failures):
    programs.add("sqlcmd", SQLCMD.format(log=programs.log, failures=failures))

    done = programs.run("grants.sh")

    calls = programs.log.read_text().splitlines()
    assert (done.returncode, len(calls)) == (0, failures + 2)
    assert all("infra/hooks/grants.sql" in call for call in calls[:-1])
    assert f"factory=adf-ingest-trial factory_client_id={FACTORY}" in calls[0]
    assert "--variables" not in calls[-1]
    ran = Path(f"{programs.log}.sql").read_text()
    assert "GRANT EXECUTE ON OBJECT::dbo.move_export_watermark TO [adf-ingest-trial];" in ran
    assert "data-factory-name" not in ran


def test_a_database_that_stays_away_ends_the_deployment_with_what_to_do(programs):
    programs.add("sqlcmd", SQLCMD.format(log=programs.log, failures=99))

    done = programs.run("grants.sh")

    assert done.returncode == 1
    assert "run infra/hooks/grants.sh again" in done.stderr


def test_grants_of_the_factory_that_fail_end_the_deployment(programs):
    programs.add("sqlcmd", SQLCMD.format(log=programs.log, failures=0).replace("-gt 0", "-lt 2"))

    assert programs.run("grants.sh").returncode == 1


@pytest.mark.parametrize(("variables", "provider"), [({}, None), ({"DURABLE_BACKEND": "scheduler"}, "azureManaged")])
def test_azd_packs_the_backend_that_is_provisioned(programs, variables, provider):
    done = programs.run("package.sh", **variables)

    packed = ROOT / "dist" / "app"
    host = json.loads((packed / "host.json").read_text())
    assert done.returncode == 0, done.stderr
    assert host["extensions"]["durableTask"]["storageProvider"].get("type") == provider
    assert {path.name for path in packed.iterdir()} == {
        "blueprints", "contracts", "function_app.py", "host.json", "requirements.txt", "shared",
    }  # fmt: skip
