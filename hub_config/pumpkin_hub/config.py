"""The Hub's configuration, computed: small pure functions from settings and a place to traitlets' `Config`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from traitlets.config import Config

from pumpkin_hub import scopes
from pumpkin_hub.admission import USERNAME
from pumpkin_hub.place import Place, secret
from pumpkin_hub.settings import Pumpkin, SettingsError

HERE = Path(__file__).parent
PASSED_ON = (
    *("HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "no_proxy", "NO_PROXY"),
    "KUBECONFIG",
)
PASSED_ON_PREFIXES = (
    *("PUMPKIN_", "UV_", "PIP_", "XDG_", "SSL_CERT_", "NVIDIA_", "CUDA_", "http", "HTTP"),
    "KUBERNETES_SERVICE_",  # by which a pod finds its cluster's API server
)
SPAWNERS = {"local": "pumpkin_spawners.LocalSpawner", "volcano": "pumpkin_spawners.volcano.VolcanoSpawner"}
"""By name: only one of them is loaded."""
SESSION_CHECK_SECONDS = 60
"""How often the Hub asks whether a logged-in user may still be here."""


def hub_config(settings: Pumpkin, place: Place, environ: Mapping[str, str] = os.environ) -> Config:
    """Return the Hub's whole configuration; raise `SettingsError` if the OIDC provider cannot be discovered."""
    c = Config()
    _process(c, place)
    _proxy(c, place)
    _permissions(c)
    _services(c, place, environ)
    _servers(c, settings, place)
    _look(c, settings, place)
    _authentication(c, settings, place)
    return c


def _process(c: Config, place: Place) -> None:
    c.JupyterHub.bind_url = f"http://{_host(place.ip)}:{place.port}{place.base_url}"
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{place.hub_port}"
    c.JupyterHub.db_url = f"sqlite:///{place.data}/hub/jupyterhub.sqlite"
    c.JupyterHub.upgrade_db = True  # backs the file up first
    c.JupyterHub.cookie_secret_file = str(place.data / "secrets" / "hub_cookie_secret")
    c.JupyterHub.tornado_settings = {"headers": security_headers()}
    # Notebooks are workloads: they outlive the Hub, which finds them again when it starts.
    c.JupyterHub.cleanup_servers = False


def _proxy(c: Config, place: Place) -> None:
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{place.proxy_port}"
    c.ConfigurableHTTPProxy.pid_file = str(place.run / "proxy.pid")
    c.ConfigurableHTTPProxy.command = logged(place.proxy_command, place.log("proxy"))
    c.ConfigurableHTTPProxy.log_level = "warn"


def _permissions(c: Config) -> None:
    c.JupyterHub.custom_scopes = scopes.custom_scopes()
    c.JupyterHub.extra_user_scopes = scopes.user_scopes()
    c.JupyterHub.load_roles = scopes.roles()


def _services(c: Config, place: Place, environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "pumpkin_services", f"--data={place.data}"]
    if place.config is not None:
        command.append(f"--config={place.config}")
    c.JupyterHub.services = [
        {
            "name": scopes.SERVICE,
            "url": f"http://127.0.0.1:{place.service_port}",
            "command": logged(command, place.log("service")),
            "environment": service_environment(environ)
            | {"PUMPKIN_DATA": str(place.data), "PUMPKIN_URL": place.url.rstrip("/")},
            "oauth_client_id": f"service-{scopes.SERVICE}",
            "oauth_client_allowed_scopes": [*scopes.user_scopes(), *scopes.admin_scopes()],
            "oauth_no_confirm": True,
            "display": False,  # it is the home page, not one more entry in a menu
        },
        {"name": scopes.SPAWNER_SERVICE, "api_token": secret(place.data, "spawner_token"), "display": False},
    ]


def _servers(c: Config, settings: Pumpkin, place: Place) -> None:
    c.JupyterHub.spawner_class = SPAWNERS[settings.spawner]
    c.JupyterHub.allow_named_servers = True
    c.JupyterHub.named_server_limit_per_user = settings.named_servers_limit
    # The queue is the platform's, never the Hub: a spawn without capacity fails at once, and that is no fault.
    c.JupyterHub.concurrent_spawn_limit = 0
    c.Spawner.consecutive_failure_limit = 0
    c.Spawner.server_token_scopes = scopes.server_token_scopes()
    c.Spawner.default_url = "/lab"
    c.PumpkinSpawner.platform_url = f"http://127.0.0.1:{place.service_port}{place.base_url}services/{scopes.SERVICE}/"
    c.PumpkinSpawner.platform_token = secret(place.data, "spawner_token")


def _look(c: Config, settings: Pumpkin, place: Place) -> None:
    home = f"{place.base_url}services/{scopes.SERVICE}/"
    c.JupyterHub.default_url = home
    c.JupyterHub.template_paths = [str(HERE / "templates")]
    c.JupyterHub.logo_file = str(HERE / "static" / "logo.svg")
    c.JupyterHub.template_vars = {
        "platform_url": home,
        "native_accounts": settings.authenticator == "native",
        "signup": settings.authenticator == "native" and settings.signup != "off",
    }


def _authentication(c: Config, settings: Pumpkin, place: Place) -> None:
    c.Authenticator.username_pattern = USERNAME
    c.Authenticator.allow_all = True  # whom the authenticator lets through; approval is its own
    c.Authenticator.auth_refresh_age = SESSION_CHECK_SECONDS
    c.Authenticator.refresh_pre_spawn = True
    if settings.authenticator == "oidc":
        c.JupyterHub.authenticator_class = "pumpkin_hub.oidc.Oidc"  # by name: only one of them is loaded
        c.Authenticator.admin_users = set(settings.admins)
        _oidc(c, settings, discover(settings.oidc_issuer))
        return
    c.JupyterHub.authenticator_class = "pumpkin_hub.native.Native"
    c.Authenticator.admin_users = {settings.first_admin, *settings.admins}
    c.Native.data_dir = str(place.data)
    c.Native.enable_signup = settings.signup != "off"
    c.Native.open_signup = settings.signup == "open"
    c.Native.minimum_password_length = 10
    c.Native.check_common_password = True
    c.Native.allowed_failed_logins = 10
    c.Native.seconds_before_next_try = 60


def _oidc(c: Config, settings: Pumpkin, endpoints: Mapping[str, Any]) -> None:
    c.Oidc.client_id = settings.oidc_client_id
    c.Oidc.client_secret = settings.client_secret()
    c.Oidc.authorize_url = endpoints["authorization_endpoint"]
    c.Oidc.token_url = endpoints["token_endpoint"]
    c.Oidc.userdata_url = endpoints["userinfo_endpoint"]
    c.Oidc.scope = settings.oidc_scopes
    c.Oidc.username_claim = settings.oidc_username_claim
    c.Oidc.groups_claim = settings.oidc_groups_claim
    c.Oidc.admin_group = settings.oidc_admin_group
    c.Oidc.login_service = settings.oidc_button
    if settings.oidc_callback_url:
        c.Oidc.oauth_callback_url = settings.oidc_callback_url


def discover(issuer: str) -> dict[str, Any]:
    """Return the provider's endpoints from its discovery document (OpenID Connect Discovery 1.0, section 4)."""
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    if not url.startswith(("https://", "http://")):
        raise SettingsError(f"c.Pumpkin.oidc_issuer is '{issuer}': give the provider's https:// address.")
    try:
        with urlopen(url, timeout=10) as answer:
            document: dict[str, Any] = json.load(answer)
    except (URLError, OSError, ValueError) as error:
        raise SettingsError(f"The OIDC provider does not answer at {url}: {error}.") from error
    missing = {"authorization_endpoint", "token_endpoint", "userinfo_endpoint"} - document.keys()
    if missing or str(document.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise SettingsError(f"What answers at {url} is not the OpenID Connect provider {issuer}.")
    return document


def security_headers() -> dict[str, str]:
    """Return headers for the Hub's own pages, whose templates have inline scripts; nothing may frame them."""
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def service_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the service needs of our environment: the Hub itself passes on only PATH and the like."""
    return {k: v for k, v in environ.items() if k in PASSED_ON or k.startswith(PASSED_ON_PREFIXES)}


def logged(command: tuple[str, ...] | list[str], log: Path) -> list[str]:
    """Return `command` with its output appended to `log`; the Hub would mix it with its own."""
    return ["/bin/sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "pumpkin", str(log), *command]


def _host(ip: str) -> str:
    return f"[{ip}]" if ":" in ip else ip
