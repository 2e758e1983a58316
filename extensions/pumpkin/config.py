"""Where the platform is and who asks: arguments, then environment variables, then what `pumpkin login` kept."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pumpkin._protocol import API_PATH
from pumpkin.errors import PumpkinError

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, kw_only=True)
class Config:
    """A platform and a credential. `url` is the Hub's address as a person types it, without the API's path."""

    url: str
    token: str = ""
    source: str = ""
    """Where the token comes from, for `pumpkin whoami`: a variable's name, a file, or empty when there is none."""

    @property
    def api(self) -> str:
        """The API's base URL."""
        return self.url + API_PATH

    @property
    def origin(self) -> str:
        """Scheme and host: what the API's relative URLs are relative to."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def config_file() -> Path:
    """Return the path of the file `pumpkin login` writes."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "pumpkin" / "config.toml"


def clean_url(url: str) -> str:
    """Return `url` as the Hub's address; raise `PumpkinError` when it is none.

    Any page of the Hub will do: `…/hub/home` and the API's own URL are cut down to the address they begin with.
    """
    text = url if "://" in url else f"http://{url}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PumpkinError(f"'{url}' is not the address of a platform: write http://host:port.", field="url")
    path = parts.path.rstrip("/")
    for mark in ("/services/pumpkin", "/hub", "/user"):
        index = (path + "/").find(mark + "/")
        if index >= 0:
            path = path[:index]
    return f"{parts.scheme}://{parts.netloc}{path}"


def load(url: str | None = None, token: str | None = None) -> Config:
    """Return the configuration to use now.

    The order for each of the two: argument; `PUMPKIN_URL`, `PUMPKIN_TOKEN`; inside a notebook server what the Hub
    gave it (`JUPYTERHUB_PUBLIC_HUB_URL`, `JUPYTERHUB_API_TOKEN`); the file of `pumpkin login`. A token kept for
    one address is never sent to another.
    """
    env = os.environ
    stored = _read(config_file())
    found = url or env.get("PUMPKIN_URL") or env.get("JUPYTERHUB_PUBLIC_HUB_URL") or stored.get("url") or DEFAULT_URL
    address = clean_url(found)
    if token:
        return Config(url=address, token=token, source="argument")
    for name in ("PUMPKIN_TOKEN", "JUPYTERHUB_API_TOKEN"):
        if env.get(name):
            return Config(url=address, token=env[name], source=name)
    if stored.get("token") and stored.get("url") == address:
        return Config(url=address, token=stored["token"], source=str(config_file()))
    return Config(url=address)


def save(config: Config) -> Path:
    """Keep `config` for later runs, readable by its owner only; return the file's path."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(f".{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f'url = "{config.url}"\ntoken = "{config.token}"\n')
    temporary.replace(path)
    return path


def forget() -> bool:
    """Remove what `save` kept; tell whether there was anything."""
    try:
        config_file().unlink()
    except FileNotFoundError:
        return False
    return True


def _read(path: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PumpkinError(f"{path} cannot be read ({error}): run 'pumpkin login' again.", field="config") from error
    return {key: str(value) for key, value in data.items()}
