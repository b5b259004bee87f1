"""What Azure's worker refuses is refused here too, in the worker's words; so is what this host can't serve."""

import json
import socket
import subprocess
import sys
import time

import pytest

HEAD = """
import typing
import azure.durable_functions as df
import azure.functions as func
app = df.DFApp()
"""

REFUSED = {
    "modern_list_of_events": (
        (
            "@app.event_hub_message_trigger('events', event_hub_name='h', connection='C', cardinality='many')\n"
            "def f(events: list[func.EventHubEvent]): pass"
        ),
        "cannot load the f function",
    ),
    "generic_dict_argument": (
        "@app.activity_trigger('job')\ndef f(job: dict[str, int]): pass",
        "cannot load the f function",
    ),
    "optional_argument": (
        "@app.activity_trigger('job')\ndef f(job: typing.Optional[str]): pass",
        "cannot load the f function",
    ),
    "union_argument": ("@app.activity_trigger('job')\ndef f(job: str | None): pass", "cannot load the f function"),
    "parameter_without_binding": ("@app.activity_trigger('job')\ndef f(job, more): pass", "'more'"),
    "binding_without_parameter": ("@app.activity_trigger('job')\ndef f(): pass", "not present in Python: {'job'}"),
    "output_that_is_no_out": (
        (
            "@app.route('x')\n@app.queue_output('o', queue_name='q', connection='C')\n"
            "def f(req: func.HttpRequest, o: str) -> str: return ''"
        ),
        "cannot load the f function",
    ),
    "wrong_message_type": (
        (
            "@app.event_hub_message_trigger('events', event_hub_name='h', connection='C')\n"
            "def f(events: func.QueueMessage): pass"
        ),
        "cannot load the f function",
    ),
    "two_apps": ("other = func.FunctionApp()", "More than one"),
    "same_name_twice": (
        "@app.activity_trigger('job')\ndef f(job): pass\n@app.activity_trigger('job')\ndef f(job): pass",
        "does not have a unique function name",
    ),
    "missing_module": ("import no_such_module", "No module named 'no_such_module'"),
    "no_functions": ("", "no functions were found"),
    "queue_trigger": (
        "@app.queue_trigger('message', queue_name='q', connection='C')\ndef f(message: func.QueueMessage): pass",
        "function 'f': binding 'message' is a queueTrigger",
    ),
    "queue_output": (
        (
            "@app.route('x')\n@app.queue_output('o', queue_name='q', connection='C')\n"
            "def f(req: func.HttpRequest, o: func.Out[str]) -> str: return ''"
        ),
        "function 'f': binding 'o' is a queue;",
    ),
    "entity": (
        "@app.entity_trigger('context')\ndef f(context): pass",
        "is a entityTrigger (durable entities are left out on purpose)",
    ),
    "retry_policy": (
        (
            "@app.timer_trigger('timer', schedule='0 0 0 * * *')\n"
            "@app.retry(strategy='fixed_delay', max_retry_count='3', delay_interval='00:00:01')\n"
            "def f(timer: func.TimerRequest): pass"
        ),
        "function 'f' has a retry policy",
    ),
}

ACCEPTED = {
    "bare_containers": "@app.activity_trigger('job')\ndef f(job: dict) -> list[dict[str, int] | None]: return []",
    "typing_list_is_checked_by_the_worker": "@app.activity_trigger('job')\ndef f(job: list): pass",
    "future_annotations": "@app.activity_trigger('job')\nasync def f(job: dict) -> 'str | None': return None",
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    folders = tmp_path_factory.mktemp("apps")
    for name, text in {**{name: body for name, (body, _) in REFUSED.items()}, **ACCEPTED}.items():
        (folders / name).mkdir()
        (folders / name / "function_app.py").write_text(HEAD + text)
    command = [sys.executable, "-m", "tests.integration.functions_host.load_all", str(folders)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_an_app_that_would_be_dead_in_azure_is_refused(verdicts, name):
    assert REFUSED[name][1] in verdicts[name]


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_an_app_that_azure_takes_is_taken(verdicts, name):
    assert verdicts[name] == ""


def run(app, tmp_path):
    command = [sys.executable, "-m", "emulators.functions_host", "--app", str(app), "--state", str(tmp_path / "state")]
    return subprocess.run(
        [*command, "--port", "0", "--rpc-port", "0"], capture_output=True, timeout=30, check=False, text=True
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@app.activity_trigger('job')\ndef f(job: dict[str, int]): pass", "cannot load the f function"),
        (
            "@app.timer_trigger('timer', schedule='0 0 0 * * 7')\ndef f(timer: func.TimerRequest): pass",
            "function 'f': schedule '0 0 0 * * 7'",
        ),
        (
            "@app.route('a/{x:regex(b)}')\ndef f(req: func.HttpRequest) -> str: return ''",
            "function 'f': this host can't route",
        ),
    ],
    ids=["worker", "timer", "route"],
)
def test_a_refused_app_ends_the_host_at_once_with_code_one(tmp_path, text, words):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(HEAD + text)
    began = time.monotonic()

    ended = run(tmp_path, tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in ended.stderr
    assert time.monotonic() - began < 10


def test_a_taken_port_ends_the_host_with_code_one(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [
            sys.executable,
            "-m",
            "emulators.functions_host",
            "--app",
            str(tmp_path),
            "--state",
            str(tmp_path / "s"),
        ]
        ended = subprocess.run([*command, "--port", port], capture_output=True, timeout=30, check=False, text=True)

    assert (ended.returncode, "in use" in ended.stderr) == (1, True)
