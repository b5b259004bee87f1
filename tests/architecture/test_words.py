"""One vocabulary: docs/glossary.md says which words we use, and which must not come back."""

import ast
import re
from collections import defaultdict

import pytest

from tests.architecture.tree import modules, syntax, text

GLOSSARY = text("docs/glossary.md")
WORDS = re.findall(r"^\| (\w+) \| [A-Z].*\. \|$", GLOSSARY, re.MULTILINE)
NAMES = re.findall(r"^\| `(\w+)` \|", GLOSSARY, re.MULTILINE)
PHRASES = re.findall(r'^\| "([^"]+)" \|', GLOSSARY, re.MULTILINE)
TOPS = ("blueprints", "shared", "cost", "local", "emulators", "databricks", "benchmarks", "function_app.py")
PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def names_in(tree):
    """Give each name that is defined or bound in a module, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def types_in(tree):
    """Give each type that a module defines for others."""
    for node in tree.body:
        name = node.name if isinstance(node, ast.ClassDef | ast.TypeAlias) else "_"
        name = name.id if isinstance(name, ast.Name) else name
        if not name.startswith("_"):
            yield name


def pieces(name):
    return {piece.lower() for piece in PIECE.findall(name)}


def sources():
    return [name for name in modules(*TOPS) if "/tests/" not in name]


def test_the_glossary_says_enough_to_be_read():
    assert len(WORDS) >= 20
    assert len(NAMES) >= 15
    assert len(PHRASES) >= 8


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_the_glossary_is_used(word):
    assert [name for name in sources() if re.search(rf"\b{word}", text(name), re.IGNORECASE)] != []


def test_no_name_holds_a_word_that_must_not_come_back():
    banned = {name.lower() for name in NAMES}
    found = [
        f"{module}:{line} {name}"
        for module in sources()
        for line, name in names_in(syntax(module))
        if pieces(name) & banned
    ]

    assert found == []


def test_each_type_of_the_app_has_a_name_of_its_own():
    homes = defaultdict(list)
    for module in modules("shared"):
        for name in types_in(syntax(module)):
            homes[name].append(module)

    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_text_holds_a_phrase_that_must_not_come_back(phrase):
    readable = [
        *sources(),
        "README.md",
        "CONTRIBUTING.md",
        "docs/add-a-feed.md",
        "docs/architecture.md",
        "docs/local-platform.md",
        "docs/runbook.md",
        "docs/settings.md",
        "emulators/README.md",
        "pyproject.toml",
    ]

    assert [name for name in readable if phrase.lower() in text(name).lower()] == []


@pytest.mark.parametrize(("name", "parts"), [("_PassingCloud", {"passing", "cloud"}), ("http_url", {"http", "url"})])
def test_a_name_is_read_word_by_word(name, parts):
    assert pieces(name) == parts


def test_types_are_read_in_all_their_forms():
    tree = ast.parse("class Row: ...\ntype Key = str\nclass _Own: ...\nRATE = 1\n")

    assert list(types_in(tree)) == ["Row", "Key"]
