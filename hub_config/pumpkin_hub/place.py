"""Where one instance lives: its data folder, address and ports. Written by the launcher, read by the Hub's config."""

from __future__ import annotations

import errno
import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDERS = ("secrets", "hub", "logs", "run")


class Refused(Exception):
    """The platform cannot start here; the message is one sentence that says what to do."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One instance. `port` is the public one; the Hub, the proxy's API and the service use the three after it."""

    data: Path
    ip: str
    port: int
    base_url: str
    config: Path | None
    proxy_command: tuple[str, ...] = ()

    @property
    def hub_port(self) -> int:
        """The Hub's own port."""
        return self.port + 1

    @property
    def proxy_port(self) -> int:
        """The port of the proxy's API."""
        return self.port + 2

    @property
    def service_port(self) -> int:
        """The platform service's own port."""
        return self.port + 3

    @property
    def url(self) -> str:
        """The address to type into a browser on this machine."""
        host = "127.0.0.1" if self.ip in ("", "0.0.0.0", "::") else self.ip
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{self.base_url}"

    @property
    def run(self) -> Path:
        """The folder of what lasts only while the platform runs."""
        return self.data / "run"

    def log(self, part: str) -> Path:
        """The log file of `hub`, `service`, `proxy` or `launcher`."""
        return self.data / "logs" / f"{part}.log"

    def write(self, path: Path) -> None:
        """Keep this place in a file, for the Hub's configuration to read."""
        document = {**asdict(self), "data": str(self.data), "config": self.config and str(self.config)}
        path.write_text(json.dumps(document))

    @classmethod
    def read(cls, path: Path) -> Place:
        """Read what `write` kept."""
        document = json.loads(path.read_text())
        return cls(
            data=Path(document["data"]),
            ip=document["ip"],
            port=document["port"],
            base_url=document["base_url"],
            config=Path(document["config"]) if document["config"] else None,
            proxy_command=tuple(document["proxy_command"]),
        )


def default_data() -> Path:
    """Return the data folder used when none is named: $PUMPKIN_DATA, else one in the home folder."""
    return Path(os.environ.get("PUMPKIN_DATA") or Path.home() / ".local/share/pumpkin").expanduser().absolute()


def open_data(data: Path) -> None:
    """Make the data folder and its private parts; raise `Refused` if it cannot be ours."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = data.stat().st_uid
    except OSError as error:
        raise Refused(
            f"The data folder {data} cannot be made: {error.strerror}. Choose another with --data."
        ) from error
    if owner != os.geteuid():
        raise Refused(f"The data folder {data} belongs to another user: choose another with --data.")
    try:
        for name in FOLDERS:
            (data / name).mkdir(mode=0o700, exist_ok=True)
        probe = data / "run" / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        why = "The disk is full" if error.errno == errno.ENOSPC else f"It cannot be written to: {error.strerror}"
        raise Refused(f"The data folder {data} cannot be used. {why}. Choose another with --data.") from error


def check_ports(place: Place) -> None:
    """Raise `Refused` naming the first port that somebody else holds."""
    inside = ((place.hub_port, "the Hub"), (place.proxy_port, "the proxy's API"), (place.service_port, "the service"))
    for ip, port, what in ((place.ip, place.port, ""), *(("127.0.0.1", port, what) for port, what in inside)):
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ip, port))
            except OSError as error:
                name = f"Port {port}{f' (for {what})' if what else ''}"
                if error.errno == errno.EADDRINUSE:
                    raise Refused(
                        f"{name} is in use: choose another with --port (four in a row are needed)."
                    ) from error
                raise Refused(f"{name} on {ip} cannot be used: {error.strerror}.") from error


def secret(data: Path, name: str) -> str:
    """Return the secret `name` of this instance as 64 hex digits, made on first use."""
    path = data / "secrets" / name
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text()
