"""Servers elsewhere, to import from: a web server that does as it is told, over HTTP or TLS, and git behind it."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = ["127.0.0.0/8", "::1/128"]


@dataclass
class Reply:
    """What a path answers. `body` may be an iterator, sent piece by piece; `length` false leaves its length out."""

    body: bytes | Callable[[], Iterator[bytes]] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | bool = True


@dataclass
class Elsewhere:
    """A running server. `asked` are the paths and `Host` headers it was asked for."""

    port: int
    scheme: str = "http"
    replies: dict[str, Reply] = field(default_factory=dict)
    repositories: Path | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def url(self, path: str = "/", *, host: str = "localhost") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    @property
    def hosts(self) -> list[str]:
        return [f"localhost:{self.port}"]


@contextmanager
def serve(*, tls: ssl.SSLContext | None = None) -> Generator[Elsewhere]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    site = Elsewhere(server.server_address[1], "https" if tls else "http")
    _Handler.sites[site.port] = site
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    sites: dict[int, Elsewhere] = {}

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client went, or did not like the certificate
            pass

    @property
    def site(self) -> Elsewhere:
        return self.sites[self.server.server_address[1]]  # pyright: ignore

    def do_GET(self) -> None:
        self.site.asked.append((self.path, self.headers["Host"]))
        path = urlsplit(self.path).path
        reply = self.site.replies.get(self.path) or self.site.replies.get(path)
        if reply is None and self.site.repositories is not None:
            self._git()
            return
        reply = reply or Reply(status=404)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.length is not False:
            size = len(reply.body) if isinstance(reply.body, bytes) else 0
            self.send_header("Content-Length", str(size if reply.length is True else reply.length))
        self.end_headers()
        for piece in [reply.body] if isinstance(reply.body, bytes) else reply.body():
            self.wfile.write(piece)

    do_POST = do_GET

    def _git(self) -> None:
        """Pass the request to git's own server program, as any web server does (RFC 3875)."""
        parts = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.site.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        program = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip(), "git-http-backend")
        answer = subprocess.run([program], check=False, env=environment, input=sent, capture_output=True).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def git(folder: Path, *words: str) -> str:
    """Run git in `folder` as somebody."""
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in
           (("NAME", "Ann"), ("EMAIL", "ann@example.org"), ("DATE", "2026-01-02T03:04:05Z"))}  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who}
    return subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *words],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def commit(folder: Path, files: Mapping[str, bytes], *, message: str = "more") -> str:
    """Write `files` and commit them; return the commit."""
    if not (folder / ".git").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet")
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def authority(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a certificate authority, and a server's context with a certificate of it for `names`."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(root if ca else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(root)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )

    signed_root = certificate("", keys[0], ca=True).sign(keys[0], hashes.SHA256())
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
    ]
    leaf = (
        certificate(names[0], keys[1], ca=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(keys[0], hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(signed_root.public_bytes(pem))
    (folder / "server.pem").write_bytes(
        leaf.public_bytes(pem)
        + keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context
