"""A small, real OpenID Connect provider: discovery, authorization code with PKCE (S256), signed id tokens, userinfo.

It follows OpenID Connect Core 1.0 section 3.1 and RFC 7636 as far as a relying party can see, and refuses what they
refuse: another client or redirect URI, a code used twice, a wrong verifier or secret.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import threading
import time
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler


class Provider:
    """A provider on a free port, in a thread of its own; `users` maps names to claims."""

    client_id = "pumpkin"
    client_secret = "a secret between two"

    def __init__(self, users: dict[str, dict[str, Any]]) -> None:
        self.users = users
        self.redirect_uris: set[str] = set()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.issuer = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Provider:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        sockets = bind_sockets(0, "127.0.0.1")
        self.issuer = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        table = [
            (r"/\.well-known/openid-configuration", Discovery),
            (r"/jwks", Keys),
            (r"/authorize", Authorize),
            (r"/token", Token),
            (r"/userinfo", UserInfo),
        ]
        server = HTTPServer(Application([(path, handler, {"provider": self}) for path, handler in table]))
        self._loop.call_soon(server.add_sockets, sockets)
        self._loop.call_soon(self._ready.set)
        self._loop.run_forever()

    def id_token(self, user: str, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300, **self.users[user]}
        return jwt.encode({**claims, **({"nonce": nonce} if nonce else {})}, self.key, "RS256", headers={"kid": "1"})


class Page(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider


class Discovery(Page):
    def get(self) -> None:
        base = self.provider.issuer
        self.write(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "userinfo_endpoint": f"{base}/userinfo",
                "jwks_uri": f"{base}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )


class Keys(Page):
    def get(self) -> None:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.provider.key.public_key()))
        self.write({"keys": [{**key, "kid": "1", "use": "sig", "alg": "RS256"}]})


class Authorize(Page):
    """Asks who you are, and believes it."""

    def _request(self) -> dict[str, str]:
        wanted = {name: self.get_argument(name, "") for name in ("redirect_uri", "state", "code_challenge", "nonce")}
        if self.get_argument("client_id", "") != self.provider.client_id:
            raise HTTPError(400, "unknown client")
        if wanted["redirect_uri"] not in self.provider.redirect_uris:
            raise HTTPError(400, "redirect_uri is not registered")
        if self.get_argument("response_type", "") != "code" or "openid" not in self.get_argument("scope", "").split():
            raise HTTPError(400, "not an OpenID Connect code request")
        if not wanted["code_challenge"] or self.get_argument("code_challenge_method", "") != "S256":
            raise HTTPError(400, "PKCE is required")
        return wanted

    def get(self) -> None:
        self._request()
        self.write('<form method="post"><input name="user"></form>')

    def post(self) -> None:
        wanted = self._request()
        user = self.get_body_argument("user")
        if user not in self.provider.users:
            raise HTTPError(403)
        code = secrets.token_urlsafe(16)
        self.provider.codes[code] = {**wanted, "user": user}
        self.redirect(wanted["redirect_uri"] + "?" + urlencode({"code": code, "state": wanted["state"]}), status=303)


class Token(Page):
    def post(self) -> None:
        provider = self.provider
        sent = {name: self.get_body_argument(name, "") for name in ("client_id", "client_secret", "code")}
        basic = "Basic " + base64.b64encode(f"{provider.client_id}:{provider.client_secret}".encode()).decode()
        by_body = (sent["client_id"], sent["client_secret"]) == (provider.client_id, provider.client_secret)
        if not by_body and self.request.headers.get("Authorization") != basic:
            raise HTTPError(401)
        asked = provider.codes.pop(sent["code"], None)  # a code is good once
        verifier = self.get_body_argument("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            raise HTTPError(400, "invalid_grant")
        if self.get_body_argument("redirect_uri", "") != asked["redirect_uri"]:
            raise HTTPError(400, "invalid_grant")
        token = secrets.token_urlsafe(16)
        provider.tokens[token] = asked["user"]
        id_token = provider.id_token(asked["user"], asked["nonce"])
        self.write({"access_token": token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token})


class UserInfo(Page):
    def get(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        user = self.provider.tokens.get(token)
        if scheme.lower() != "bearer" or user is None:
            raise HTTPError(401)
        self.write(self.provider.users[user])
