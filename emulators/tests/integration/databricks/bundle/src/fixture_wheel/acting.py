"""A program for tests: it does what its first argument says."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main():
    """Do `--act=<name>` with the rest of the arguments."""
    name = next(word.partition("=")[2] for word in sys.argv if word.startswith("--act="))
    ACTS[name]()


def say():
    print(json.dumps({"arguments": sys.argv, "environment": dict(os.environ), "folder": str(Path.cwd())}))


def fail():
    print("about to fail", file=sys.stderr)
    raise ValueError("the lake is dry: " + os.environ["SECRET_TOKEN"])


def quit_early():
    sys.exit(3)


def fail_once():
    mark = Path("failed")
    if not mark.exists():
        mark.touch()
        raise ValueError("the first time never works")


def wait():
    Path("waiting").touch()
    while not Path("go").exists():
        time.sleep(0.01)


def leave_kindly():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to leave"))
    wait()


def stay():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait()


def fork():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    wait()


ACTS = {act.__name__: act for act in (say, fail, quit_early, fail_once, wait, leave_kindly, stay, fork)}
