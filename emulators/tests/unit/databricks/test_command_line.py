import sys
from pathlib import Path

import pytest

from emulators.databricks.__main__ import configuration
from emulators.tls import make_tls_files

BUNDLE = Path(__file__).parents[2] / "integration/databricks/bundle"


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    tls = make_tls_files(folder)
    files = ["--certificate", tls.server, "--ca", tls.authority, "--state", folder, "--bundle", BUNDLE]
    return [*map(str, files), "--issuer", "https://localhost:1/t", "--python", sys.executable]


def test_every_option_reaches_the_service(words):
    more = ["--port", "20007", "--admin-port", "20008", "--target", "prod", "--kill-after", "3"]

    service = configuration([*words, *more, "--variable", "root=/x=y", "--secret-env", "A", "B"], {"A": "1", "B": "2"})

    queued = next(job for job in service.bundle.jobs.values() if job.key == "queued")
    assert (service.port, service.admin_port, service.kill_after) == (20007, 20008, 3)
    assert queued.definition.job_clusters[0].new_cluster.spark_env_vars == {"SOURCE": "eventhubs", "ROOT": "/x=y/prod"}
    assert service.task_runner.secrets == ["A", "B"]
    assert service.task_runner.runs == service.state / "runs"


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("--secret-env A", "A: not set in the environment"),
        ("--variable root", "'root' is not NAME=VALUE"),
        ("--variable roof=1", "declares no variable roof"),
        ("--target open", "No value is assigned to the variables source of open"),
        ("--target laptop", "no target 'laptop'"),
        ("--python /nowhere/python", "/nowhere/python is not there"),
    ],
)
def test_a_command_line_that_cannot_be_ends_with_the_reason(words, more, complaint, capsys):
    with pytest.raises(SystemExit):
        configuration([*words, *more.split()], {})

    assert complaint in capsys.readouterr().err
