"""The tokens that the local Entra signs, and the public key they are verified with."""

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

_KEY_BITS = 2048
_PUBLIC_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key pair with the id that tokens name it by."""

    key_id: str
    private: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Grant:
    """To whom a token is given, by which tenant, for which resource."""

    issuer: str
    tenant: str
    client_id: str
    audience: str


def make_signing_key() -> SigningKey:
    """Make a key pair; its id is the SHA-256 thumbprint of the public half."""
    private = rsa.generate_private_key(_PUBLIC_EXPONENT, _KEY_BITS)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return SigningKey(base64url_encode(digest.finalize()).decode(), private)


def key_set(key: SigningKey, issuer: str) -> dict[str, list[dict[str, object]]]:
    """Write the public half as a JSON Web Key Set."""
    public: dict[str, object] = json.loads(RSAAlgorithm.to_jwk(key.private.public_key()))
    named = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.key_id, "issuer": issuer}
    return {"keys": [named | {part: public[part] for part in ("n", "e")}]}


def claims(grant: Grant, issued_at: datetime, lifetime: timedelta) -> dict[str, object]:
    """State a version 1.0 app-only token, the version that Azure's own resources (all known here) are given.

    Such a token names the client `appid`; `azp`, its name in version 2.0, is added for readers of either.
    """
    object_id = service_principal_id(grant.tenant, grant.client_id)
    issued = int(issued_at.timestamp())
    return {
        "aud": grant.audience,
        "iss": grant.issuer,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "appid": grant.client_id,
        "azp": grant.client_id,
        "appidacr": "1",
        "idp": grant.issuer,
        "idtyp": "app",
        "oid": object_id,
        "sub": object_id,
        "tid": grant.tenant,
        "uti": secrets.token_urlsafe(16),
        "ver": "1.0",
    }


def service_principal_id(tenant: str, client_id: str) -> str:
    """Derive the object id of a client in a tenant; it differs from the client id, as in Entra."""
    return str(uuid.uuid5(uuid.UUID(tenant), client_id.lower()))


def signed(key: SigningKey, stated: dict[str, object]) -> str:
    """Sign claims as a compact RS256 JWT that names its key."""
    return jwt.encode(stated, key.private, algorithm="RS256", headers={"kid": key.key_id})
