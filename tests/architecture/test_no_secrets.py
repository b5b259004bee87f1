"""No secret, no path of somebody's machine and no registry host in any file that is, or could be, committed."""

import re

import pytest

from tests.architecture.tree import files, text

# Azurite's well-known account, published by Microsoft for everybody.
DEVELOPMENT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

SECRETS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "key of a connection string": r"(?:SharedAccess|Account)Key\s*=\s*[A-Za-z0-9+/]{16,}={0,2}",
    "shared access signature": r"\bsig=[A-Za-z0-9%+/]{30,}",
    "Azure key of 32 bytes": r"(?<![A-Za-z0-9+/-])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9=])",
    "Azure key of 64 bytes": r"(?<![A-Za-z0-9+/-])[A-Za-z0-9+/]{86}==",
    "Functions key": r"\bcode=[A-Za-z0-9_/-]{40,}",
    "Entra client secret": r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}",
    "Databricks token, whole or in part": r"\bdapi[0-9a-f]{8,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+",
    "password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'`{}<>$]+:[^\s/:@\"'`{}<>$]+@[\w.-]",
    "password of a connection string": r"(?i)\b(?:pwd|password)=[^;\s\"'{}<>$]{6,};",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}",
    "AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}",
}
PLACES = {
    "home of root": r"/roo[t]/",
    "home of a user": r"(?<![\w.])/hom[e]/(?!site/)[a-z][\w.-]*/",
    "home on macOS": r"/User[s]/[A-Za-z][\w.-]*/",
    "home on Windows": r"[A-Z]:\\+User[s]\\",
    "folder of a workshop": r"(?<![\w.])/wor[k]/",
    "Python registry": r"pypi\.(?:or[g]|pytho[n])|pythonhoste[d]",
    "npm registry": r"registry\.(?:npmjs|yarnpk[g])",
    "Maven registry": r"repo\d*\.mave[n]|maven\.or[g]|search\.mave[n]",
    "container registry": r"docker\.i[o]/|ghcr\.i[o]/|quay\.i[o]/|mcr\.microsof[t]",
    "NuGet registry": r"api\.nuge[t]|www\.nuge[t]",
}


def planted(name):
    """Make, for each pattern of a secret, a text that it must find; put together here so that no file holds one."""
    letters = "Ab3d" * 25
    return {
        "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
        "key of a connection string": "Endpoint=sb://a/;SharedAccessKey=" + letters[:32],
        "shared access signature": "https://a/?sv=1&sig=" + letters[:44],
        "Azure key of 32 bytes": f'"{letters[:43]}="',
        "Azure key of 64 bytes": f'"{letters[:86]}=="',
        "Functions key": "https://a/api/x?code=" + letters[:54],
        "Entra client secret": "abc" + "8Q~" + letters[:34],
        "Databricks token, whole or in part": "dapi" + "0f" * 5,
        "JSON web token": "eyJ" + letters[:20] + ".eyJ" + letters[:20] + "." + letters[:20],
        "password in a URL": "amqps://guest:" + "hunter2@host",
        "password of a connection string": "Server=a;Password=" + "hunter22;",
        "GitHub token": "ghp_" + letters[:36],
        "AWS key": "AKIA" + "ABCD" * 4,
        "Google key": "AIza" + letters[:35],
    }[name]


def spelled(separator, *parts):
    """Put a text together that this file must not hold."""
    return separator.join(parts)


def places_of(pattern, *, allowed=()):
    return [
        f"{name}:{content.count(chr(10), 0, match.start()) + 1}"
        for name in files()
        for content in [text(name)]
        for match in re.finditer(pattern, content)
        if not any(word in match.group() for word in allowed)
    ]


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_no_file_holds_a_secret(kind):
    found = places_of(SECRETS[kind], allowed=(DEVELOPMENT_KEY,))

    assert found == [], f"{kind} in {found}"


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_a_secret_would_be_found(kind):
    assert re.search(SECRETS[kind], planted(kind))


@pytest.mark.parametrize("kind", sorted(PLACES))
def test_no_file_names_a_machine_or_a_registry(kind):
    found = places_of(PLACES[kind])

    assert found == [], f"{kind} in {found}"


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("home of root", spelled("/", "", "root", ".cache")),
        ("home of a user", spelled("/", "", "home", "ada", "clone")),
        ("home on macOS", spelled("/", "", "Users", "ada", "clone")),
        ("home on Windows", spelled("\\", "C:", "Users", "ada")),
        ("folder of a workshop", spelled("/", "", "work", "main")),
        ("Python registry", spelled(".", "https://pypi", "org")),
        ("npm registry", spelled(".", "https://registry", "npmjs", "org")),
        ("Maven registry", spelled(".", "https://repo1", "maven", "org")),
        ("container registry", spelled(".", "ghcr", "io/")),
        ("NuGet registry", spelled(".", "https://api", "nuget", "org")),
    ],
)
def test_a_machine_or_a_registry_would_be_found(kind, place):
    assert re.search(PLACES[kind], place)


def test_the_home_of_functions_in_azure_is_no_machine_of_ours():
    assert not re.search(PLACES["home of a user"], spelled("/", "", "home", "site", "wwwroot"))


def test_no_real_settings_file_can_be_committed():
    assert [name for name in files() if name.endswith(("local.settings.json", ".env", ".pem", ".key", ".pfx"))] == []
