"""The HTTPS endpoints of the local Entra."""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from emulators.admin import FaultRoutes, admin_application, body_of
from emulators.clocks import utc_now
from emulators.entra.faults import Fault, Faults, GatewayPage
from emulators.entra.grants import check_tenant, decide
from emulators.entra.identities import Identities
from emulators.entra.metadata import issuer_of, openid_configuration
from emulators.entra.refusals import Incident, Refusal, refusal_body
from emulators.entra.tokens import SigningKey, claims, key_set, make_signing_key, signed
from emulators.serving import Site, json_answer, serving

DEFAULT_TOKEN_LIFETIME = timedelta(seconds=3599)

_logger = logging.getLogger(__name__)


@asynccontextmanager
async def running(
    identities: Identities, certificate: Path, *, port: int = 0, lifetime: timedelta = DEFAULT_TOKEN_LIFETIME
) -> AsyncIterator[dict[str, str]]:
    """Serve on 127.0.0.1 over TLS and yield the addresses: `authority` and `issuer`.

    certificate: a PEM file with the server's key and chain.
    """
    entra = Entra(identities, lifetime)
    async with serving(authority=Site(_application(entra), port, certificate)) as addresses:
        entra.authority = addresses["authority"]
        yield addresses | {"issuer": issuer_of(entra.authority, identities.tenant)}


@dataclass(slots=True)
class Entra:
    """One tenant, its signing key and its handlers."""

    identities: Identities
    lifetime: timedelta
    authority: str = ""
    key: SigningKey = field(default_factory=make_signing_key)
    faults: Faults = field(default_factory=Faults)

    async def give_token(self, request: web.Request) -> web.Response:
        """Answer `POST /{tenant}/oauth2/v2.0/token`."""
        self.faults.meet("token")
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        authorization = request.headers.get("Authorization", "")
        grant = decide(form, request.match_info["tenant"], self.issuer, self.identities, authorization)
        token = signed(self.key, claims(grant, utc_now(), self.lifetime))
        _logger.info("entra.token_given client=%s audience=%s", grant.client_id, grant.audience)
        seconds = int(self.lifetime.total_seconds())
        return web.json_response(
            {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        )

    async def show_metadata(self, request: web.Request) -> web.Response:
        """Answer the OpenID metadata addresses."""
        self.faults.meet("metadata")
        check_tenant(request.match_info["tenant"], self.identities)
        return web.json_response(openid_configuration(self.authority, self.identities.tenant))

    async def show_keys(self, request: web.Request) -> web.Response:
        """Answer the key set addresses."""
        check_tenant(request.match_info["tenant"], self.identities)
        return web.json_response(key_set(self.key, self.issuer))

    async def set_lifetime(self, request: web.Request) -> web.Response:
        """Answer `PUT /admin/token-lifetime`: `{"seconds": n}`; below zero, tokens are issued expired."""
        try:
            seconds = (await body_of(request, _Lifetime)).seconds
        except msgspec.DecodeError as error:
            return json_answer({"error": f'Send {{"seconds": <whole number>}}: {error}'}, status=400)
        self.lifetime = timedelta(seconds=seconds)
        return web.json_response({"seconds": seconds})

    @property
    def issuer(self) -> str:
        """Name who issues the tokens."""
        return issuer_of(self.authority, self.identities.tenant)


class _Lifetime(msgspec.Struct, forbid_unknown_fields=True):
    seconds: int


def _application(entra: Entra) -> web.Application:
    application = web.Application(middlewares=[_refusals_as_json])
    admin = [web.put("/token-lifetime", entra.set_lifetime)]
    faults = FaultRoutes.of(Fault, entra.faults).routes()
    application.add_subapp("/admin", admin_application(lambda: {"issuer": entra.issuer}, admin, faults))
    routes = application.router
    routes.add_get("/{tenant}/v2.0/.well-known/openid-configuration", entra.show_metadata)
    routes.add_get("/{tenant}/.well-known/openid-configuration", entra.show_metadata)
    routes.add_get("/{tenant}/discovery/v2.0/keys", entra.show_keys)
    routes.add_get("/{tenant}/discovery/keys", entra.show_keys)
    routes.add_post("/{tenant}/oauth2/v2.0/token", entra.give_token)
    return application


@web.middleware
async def _refusals_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        incident = Incident(str(uuid.uuid4()), _correlation_id(request), utc_now())
        _logger.warning("entra.refused code=%s correlation=%s", refusal.code, incident.correlation_id)
        return web.json_response(refusal_body(refusal, incident), status=refusal.status, headers=refusal.headers)
    except GatewayPage as page:
        return page.response()


def _correlation_id(request: web.Request) -> str:
    try:
        return str(uuid.UUID(request.headers["client-request-id"]))
    except (KeyError, ValueError):
        return str(uuid.uuid4())
