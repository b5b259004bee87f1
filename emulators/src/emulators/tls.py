"""The certificate authority of the local platform, made afresh at each start."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

SERVER_NAMES = ("localhost", "127.0.0.1", "::1", "local.servicebus.windows.net")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the authority's certificate that clients trust, and the key with chain that servers show."""

    authority: Path
    server: Path


def make_tls_files(folder: Path) -> TlsFiles:
    """Make an authority and one server certificate for `SERVER_NAMES` in `folder` (`ca.pem`, `server.pem`)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = TlsFiles(folder / "ca.pem", folder / "server.pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(files.authority)
    authority.issue_cert(*SERVER_NAMES).private_key_and_cert_chain_pem.write_to_path(files.server)
    files.server.chmod(0o600)
    return files


def server_context(server_pem: Path) -> ssl.SSLContext:
    """Build the TLS context of a server that shows the certificate in `server_pem`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server_pem)
    return context


def client_context(authority_pem: Path) -> ssl.SSLContext:
    """Build the TLS context of a client that trusts the authority in `authority_pem` and no other."""
    return ssl.create_default_context(cafile=str(authority_pem))
