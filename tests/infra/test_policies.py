"""checkov's findings: each is mended, or argued in infra/checks/accepted.toml, and nothing else is."""

import json
import os
import subprocess
import tomllib

import pytest

from infra.checks.terraform import ROOT

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
ACCEPTED = tomllib.loads((ROOT / "infra" / "checks" / "accepted.toml").read_text())


@pytest.fixture(scope="module")
def findings():
    """Give the resources that fail each policy."""
    assert CHECKOV.is_file(), "checkov is missing: run scripts/setup-infra (or `make infra`)."
    words = [
        CHECKOV,
        "-d",
        ROOT / "infra",
        "--framework",
        "terraform",
        "--skip-download",
        "--compact",
        "--quiet",
        "-o",
        "json",
    ]
    environment = {**os.environ, "CKV_SKIP_PACKAGE_UPDATE_CHECK": "True"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["resource_count"] > 30
    by_policy = {}
    for each in found["results"]["failed_checks"]:
        by_policy.setdefault(each["check_id"], set()).add(each["resource"].partition("[")[0].removeprefix("azurerm_"))
    return by_policy


@pytest.mark.timeout(300)
def test_every_finding_is_argued_and_every_argument_is_of_a_finding(findings):
    argued = {policy: set(each["resources"]) for policy, each in ACCEPTED.items()}

    assert findings == argued


@pytest.mark.parametrize("policy", ACCEPTED)
def test_an_argument_says_what_the_policy_wants_and_why_not(policy):
    assert len(ACCEPTED[policy]["wants"]) > 10
    assert len(ACCEPTED[policy]["why_not"]) > 30
