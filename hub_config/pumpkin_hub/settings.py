"""Settings of the Hub's side, as traits: set them in `pumpkin_config.py` as `c.Pumpkin.<name>`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from traitlets import Enum, Int, List, TraitError, Unicode
from traitlets.config import Config, Configurable
from traitlets.config.loader import PyFileConfigLoader


class SettingsError(Exception):
    """A settings file cannot be used; the message is one sentence for the person who wrote it."""


class Pumpkin(Configurable):
    """How people reach the platform and log in. Each default suits one machine."""

    ip = Unicode("127.0.0.1", help="Address the platform is reached at; `0.0.0.0` opens it to the network.").tag(
        config=True
    )
    port = Int(8000, help="Port the platform is reached at; the three after it are used inside the machine.").tag(
        config=True
    )
    base_url = Unicode("/", help="Path prefix of everything, such as `/ai/`.").tag(config=True)
    authenticator = Enum(
        ["native", "oidc"],
        "native",
        help="`native`: accounts kept by the platform. `oidc`: log in at an OpenID Connect provider.",
    ).tag(config=True)
    first_admin = Unicode("admin", help="Name of the admin made at first start (native accounts).").tag(config=True)
    admins = List(Unicode(), help="Names of users who are admins, besides those made so in the Hub.").tag(config=True)
    signup = Enum(
        ["approval", "open", "off"],
        "approval",
        help="Whether people may make accounts themselves: after an admin's approval, at once, or not at all.",
    ).tag(config=True)
    spawner = Enum(
        ["local", "volcano"],
        "local",
        help="How notebooks start: as processes of this machine, or as pods of a cluster; the same as "
        "`c.Platform.runtime`.",
    ).tag(config=True)
    named_servers_limit = Int(10, help="How many notebooks one user may have; 0 for no limit.").tag(config=True)

    oidc_issuer = Unicode(help="The provider's issuer URL; its endpoints are discovered from it.").tag(config=True)
    oidc_client_id = Unicode(help="Client id the provider gave the platform.").tag(config=True)
    oidc_client_secret = Unicode(help="Client secret; better kept in a file, see `oidc_client_secret_file`.").tag(
        config=True
    )
    oidc_client_secret_file = Unicode(help="File with the client secret, readable by the platform only.").tag(
        config=True
    )
    oidc_scopes = List(Unicode(), ["openid", "profile", "email"], help="Scopes asked of the provider.").tag(config=True)
    oidc_username_claim = Unicode(
        "preferred_username", help="Claim that is the user's name here; it must be unique and must never change."
    ).tag(config=True)
    oidc_groups_claim = Unicode(
        help="Claim with the user's groups; each becomes a Hub group, so a workspace. Empty: not used."
    ).tag(config=True)
    oidc_admin_group = Unicode(help="Members of this group (by the groups claim) are admins.").tag(config=True)
    oidc_callback_url = Unicode(
        help="The public `https://…/hub/oauth_callback`, when the platform cannot tell it from requests."
    ).tag(config=True)
    oidc_button = Unicode("your organisation", help="Completes the log-in button: `Sign in with …`.").tag(config=True)

    def client_secret(self) -> str:
        """Return the OIDC client secret from its file or setting; raise `SettingsError` if there is none."""
        if self.oidc_client_secret_file:
            try:
                return Path(self.oidc_client_secret_file).read_text().strip()
            except OSError as error:
                raise SettingsError(f"c.Pumpkin.oidc_client_secret_file cannot be read: {error.strerror}.") from error
        if not self.oidc_client_secret:
            raise SettingsError("The oidc authenticator needs c.Pumpkin.oidc_client_secret_file.")
        return self.oidc_client_secret

    def check(self) -> Pumpkin:
        """Return self; raise `SettingsError` for settings that do not fit together."""
        if not 1 <= self.port <= 65532:
            raise SettingsError(f"The port is {self.port}: choose one from 1 to 65532.")
        if not (self.base_url.startswith("/") and self.base_url.endswith("/")):
            raise SettingsError(f"c.Pumpkin.base_url is '{self.base_url}': begin and end it with '/'.")
        if self.authenticator == "oidc":
            if not self.oidc_issuer or not self.oidc_client_id:
                raise SettingsError("The oidc authenticator needs c.Pumpkin.oidc_issuer and c.Pumpkin.oidc_client_id.")
            self.client_secret()
        if self.oidc_admin_group and not self.oidc_groups_claim:
            raise SettingsError("c.Pumpkin.oidc_admin_group needs c.Pumpkin.oidc_groups_claim.")
        return self


def load(path: Path | None) -> Config:
    """Return the configuration a settings file makes (empty without one); raise `SettingsError` if it cannot."""
    if path is None:
        return Config()
    try:
        config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    except Exception as error:  # the file is Python: anything may come out of it
        raise SettingsError(f"{path} cannot be loaded: {type(error).__name__}: {error}.") from error
    for name in cast(dict[str, Any], config).get("Pumpkin", {}):
        if name not in Pumpkin.class_trait_names(config=True):
            raise SettingsError(f"{path} sets c.Pumpkin.{name}, which is no setting: see docs/configuration.md.")
    return config


def settings(config: Config) -> Pumpkin:
    """Return the checked settings in `config`; raise `SettingsError` for a value that is not acceptable."""
    try:
        chosen = Pumpkin(config=config).check()
    except TraitError as error:
        raise SettingsError(f"A setting of c.Pumpkin is not acceptable: {error}") from error
    runtime = of_section(config, "Platform", "runtime") or "local"
    if chosen.spawner != runtime:
        raise SettingsError(
            f"c.Pumpkin.spawner is '{chosen.spawner}' and c.Platform.runtime is '{runtime}': set both alike."
        )
    return chosen


def of_section(config: Config, section: str, name: str) -> str:
    """Return what a settings file says in a section that others read (`c.Cluster.kubeconfig`), empty if nothing."""
    return str(cast(dict[str, Any], config).get(section, {}).get(name, ""))
