"""The commands as processes: how they begin and how they end."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from local.platform.state import State, was_killed

ROOT = Path(__file__).parents[3]
# The command itself, in a folder of the test's own: the clone's settings and state are its user's.
_IN_FOLDER = """
import sys
from pathlib import Path
from local import __main__
from local.platform import commands

folder = Path(sys.argv.pop(1))
commands.STATES, commands.SETTINGS, commands.SAMPLE = folder, folder / "local.settings.json", folder / "sample.json"
sys.exit(__main__.main())
"""


@asynccontextmanager
async def command(folder, *words):
    (folder / "sample.json").write_text(json.dumps({"IsEncrypted": False, "Values": {"FEEDS": "trades"}}))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _IN_FOLDER, str(folder), *words),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def lines_until(process, words):
    lines = []
    async with asyncio.timeout(60):
        async for line in process.stdout:
            lines.append(line.decode())
            if words in lines[-1]:
                return lines
    raise AssertionError((await process.stderr.read()).decode())


async def all_end(processes):
    _, left = await asyncio.to_thread(psutil.wait_procs, processes, timeout=5)
    return not left


async def test_platform_points_the_settings_at_itself_and_ends_cleanly_on_sigterm(tmp_path):
    async with command(tmp_path, "platform", "--free-ports") as process:
        shown = await lines_until(process, "func start")
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        await process.wait()

        assert process.returncode == 0
        assert await all_end(family)
    values = json.loads((tmp_path / "local.settings.json").read_text())["Values"]
    assert values["FEEDS"] == "trades"
    assert any(values["EVENT_HUBS__authorityHost"] in line for line in shown)
    assert not was_killed(State(tmp_path / "up"))


async def test_killed_platform_leaves_no_process(tmp_path):
    async with command(tmp_path, "platform", "--free-ports") as process:
        await lines_until(process, "func start")
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()

        assert len(family) >= 5
        assert await all_end(family)
    assert was_killed(State(tmp_path / "up"))


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["platform", "--recording", "absent.txt"], "absent.txt"), (["walk"], "invalid choice: 'walk'")],
)
async def test_wrong_command_line_is_answered_in_a_line(tmp_path, words, reason):
    async with command(tmp_path, *words) as process:
        _, errors = await process.communicate()

    assert process.returncode in {1, 2}
    assert reason in errors.decode().splitlines()[-1]
