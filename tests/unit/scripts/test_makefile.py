"""The verbs of the Makefile."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "Makefile").read_text()
VERBS = dict(re.findall(r"^([a-z-]+):[^#\n]*## (.+)$", TEXT, re.MULTILINE))


@pytest.mark.parametrize(
    "verb",
    [
        "setup",
        "run",
        "test",
        "test-emulators",
        "test-lakehouse",
        "up",
        "platform",
        "lint",
        "type",
        "bench",
        "bundle",
        "clean",
        "cost",
        "fmt",
        "help",
    ],
)
def test_every_promised_verb_says_what_it_does(verb):
    assert VERBS[verb]


def test_every_verb_is_phony():
    phony = re.search(r"^\.PHONY: (.+)$", TEXT, re.MULTILINE)[1].split()

    assert set(phony) == set(VERBS)


def test_continuous_integration_runs_lint_types_and_tests():
    assert "make lint type test" in (ROOT / ".ci" / "run").read_text()
