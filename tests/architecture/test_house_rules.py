"""The habits of the house that a machine can measure."""

import ast
import re
from functools import cache
from pathlib import PurePosixPath

import pytest

from tests.architecture.tree import ROOT, files, imported_within, modules, syntax, text

PACKAGES = ("blueprints", "shared", "cost", "local", "emulators/src/emulators")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "core", "misc", "types", "logging"}
MARK = re.compile(r"\b(?:T[O]DO|FIXM[E]|XX[X]|HAC[K])\b")
EXEMPT = {"tests", "benchmarks", "notebooks"}


def sources():
    return [name for name in modules() if not EXEMPT & set(name.split("/"))]


@cache
def bodies():
    """Measure the body of every function in lines, without its docstring: `(lines, "file:line name")`, short first."""
    functions = [
        (name, node)
        for name in sources()
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return sorted((body_length(node), f"{name}:{node.lineno} {node.name}") for name, node in functions)


def body_length(function):
    documented = ast.get_docstring(function) and len(function.body) > 1
    return function.end_lineno - function.body[1 if documented else 0].lineno + 1


def test_no_file_is_longer_than_300_lines():
    assert [f"{name} ({text(name).count('\n')} lines)" for name in sources() if text(name).count("\n") > 300] == []


def test_no_function_body_is_longer_than_30_lines():
    assert [f"{place} ({length} lines)" for length, place in bodies() if length > 30] == []


def test_most_function_bodies_are_short():
    lengths = [length for length, _ in bodies()]

    assert lengths[len(lengths) // 2] <= 6
    assert lengths[int(len(lengths) * 0.95)] <= 20


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_a_package_has_an_empty_init(package):
    folders = {str(PurePosixPath(name).parent) for name in modules(package)}

    missing = [folder for folder in sorted(folders) if f"{folder}/__init__.py" not in files()]

    assert missing == []
    assert [name for name in modules(package) if name.endswith("/__init__.py") and text(name)] == []


def test_no_module_is_a_drawer_for_what_has_no_name():
    parts = {name: set(re.split(r"[/_.]", name.removesuffix(".py"))) for name in sources()}
    named = {name: words & (DRAWERS - {"types", "logging"}) for name, words in parts.items()}
    shadowing = {name for name in sources() if PurePosixPath(name).stem in DRAWERS}

    assert {name for name, words in named.items() if words} | shadowing == set()


def test_every_module_says_in_one_docstring_what_it_is_for():
    silent = [name for name in sources() if text(name).strip() and not ast.get_docstring(syntax(name))]

    assert silent == []


def test_nothing_is_imported_relatively():
    relative = [
        f"{name}:{node.lineno}"
        for name in modules()
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert relative == []


def test_nothing_is_added_up_over_an_await():
    """`x += await …` reads x before it waits: whatever is added meanwhile is lost."""
    lossy = [
        f"{name}:{node.lineno}"
        for name in modules()
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.AugAssign) and any(isinstance(part, ast.Await) for part in ast.walk(node.value))
    ]

    assert lossy == []


LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def called(name):
    """Give every call of a module as `(line, "owner.verb")`."""
    calls = (node for node in ast.walk(syntax(name)) if isinstance(node, ast.Call))
    return [(node.lineno, ast.unparse(node.func)) for node in calls if isinstance(node.func, ast.Attribute)]


def test_the_app_speaks_to_its_log_through_telemetry_alone():
    found = [
        f"{name}:{line} {verb}"
        for name in modules("blueprints", "shared")
        for line, verb in called(name)
        if name != "shared/telemetry.py"
        and verb in {f"{one}.{word}" for one in ("logger", "logging") for word in LOGGING}
    ]

    assert found == []


def test_what_an_asynchronous_trigger_does_in_a_thread_keeps_its_lines_for_the_loop():
    """The worker drops what such a thread logs; an activity is a synchronous function, whose threads it knows.

    A flow that is given a durable client is a trigger's: activities have none.
    """
    on_the_loop = sorted(imported_within("shared.clients.durable", "shared/flows"))
    found = [
        f"{name}:{line}"
        for name in [*modules("blueprints"), *on_the_loop]
        for line, verb in called(name)
        if verb == "asyncio.to_thread"
    ]

    assert on_the_loop
    assert found == []


def test_threads_are_begun_where_their_lines_are_kept_for_the_function_that_began_them():
    """A synchronous function's lines are known by its thread: the worker drops those of threads that it began.

    The threads of checked posts only ask a resolver, which tells nothing.
    """
    found = {name for name in modules("blueprints", "shared") if "ThreadPoolExecutor" in text(name)}

    assert found == {"shared/telemetry.py", "shared/clients/checked_posts.py"}


def test_no_mark_of_unfinished_work_is_left():
    written = [name for name in files() if not name.endswith("lock.json")]

    marks = [
        f"{name}:{number}"
        for name in written
        for number, line in enumerate(text(name).splitlines(), 1)
        if MARK.search(line)
    ]

    assert marks == []


def test_nothing_in_our_databricks_folder_hides_the_packages_of_that_name():
    hiding = ("databricks/__init__.py", "databricks/sdk", "databricks/labs")

    assert [path for path in hiding if (ROOT / path).exists()] == []
