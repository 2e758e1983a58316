"""Reaching the servers somebody names, and none they should not: the guard of imports.

A host must be on the admins' list. Its name is looked up, every address it has must be public, and the connection goes
to the very address that was looked at: a name that answers differently the next time gains nothing. TLS and the
`Host` header keep the name. Redirects are followed here, each checked like the first URL.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpcore

from pumpkin_services.problems import Invalid
from pumpkin_services.version import VERSION

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a host up; answers its addresses in text."""
PORTS = {"http": 80, "https": 443}
MAX_URL = 8000
"""A signed one of an object with a long name is long."""
MAX_REDIRECTS = 5
LOOKUP_SECONDS = 10.0
CONNECT_SECONDS = 10.0
STALL_SECONDS = 60.0
"""How long a server may be silent."""
_REDIRECTS = (301, 302, 303, 307, 308)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")

# By hand, not `is_global`: what that says changed between Python's releases. From IANA's special-purpose registries.
_REFUSED_V4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's metadata, at an address that is public by its looks
    )
]  # fmt: skip
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# Documentation, benchmarks and the like, and the ranges that carry an IPv4 address (Teredo in the first, 6to4). What
# is mapped, translated, link-local, unique-local or multicast is not in 2000::/3 to begin with.
_REFUSED_V6 = [ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A URL taken apart and checked. `path` begins with a slash and holds the query too, percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and (where it is not the usual one) port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == PORTS[self.scheme] else f":{self.port}")

    @property
    def url(self) -> str:
        """The URL in one way of writing, so that no other program reads it differently."""
        return self.origin + self.path

    @property
    def shown(self) -> str:
        """The URL without its query, which may hold a secret."""
        return self.origin + self.path.partition("?")[0]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A good answer, its body not read yet. `length` is None when the server does not tell."""

    target: Target
    type: str
    encoding: str
    length: int | None
    body: AsyncIterator[bytes]


class Refused(Invalid):
    """The server answered, but not with what was asked for; `answered` is its status."""

    def __init__(self, detail: str, *, answered: int) -> None:
        super().__init__(detail, field="url", reason="fetch_failed")
        self.answered = answered


def is_public(address: str) -> bool:
    """Tell whether an address in text belongs to the public Internet; what is no plain address does not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _REFUSED_V4)
    if parsed.scope_id is not None or parsed not in _GLOBAL_V6:
        return False
    return not any(parsed in network for network in _REFUSED_V6)


async def lookup(host: str, port: int) -> list[str]:
    """Return the addresses of a host by this machine's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Outward:
    """The way out.

    `hosts` may be reached: `data.example.org`, `*.example.org` (what is below it), `*` (every public host), each with
    `:port` where it is not the usual one. `networks` (CIDR) may be reached although they are not public.
    """

    def __init__(self, *, hosts: Iterable[str] = (), networks: Iterable[str] = (), resolve: Resolve = lookup) -> None:
        self._hosts = [host.lower() for host in hosts]
        self._networks = [ipaddress.ip_network(network) for network in networks]
        self._resolve = resolve

    def check(self, url: str) -> Target:
        """Return a URL taken apart.

        Raises:
            Invalid: for what is no http or https URL, holds a password, or names a host that is not on the list.
        """
        target = parse(url)
        if not self._hosts:
            raise Invalid(
                "Imports from other servers are off on this platform: ask an admin to name the hosts they may come "
                "from (`c.Platform.import_hosts`), or download it and push it.",
                field="url",
                reason="host_not_allowed",
            )
        if not any(_matches(entry, target) for entry in self._hosts):
            where = target.host if target.port == PORTS[target.scheme] else f"{target.host}:{target.port}"
            raise Invalid(
                f"Nothing may be imported from '{where}': ask an admin to add it to `c.Platform.import_hosts`.",
                field="url",
                reason="host_not_allowed",
            )
        return target

    async def addresses(self, host: str, port: int) -> list[str]:
        """Look a host up; return its addresses, all of them fit to connect to.

        Raises:
            Invalid: if there are none, or one that is not public.
        """
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = list(dict.fromkeys(await self._resolve(host, port)))
        except (OSError, UnicodeError) as error:  # a time-out is an OSError
            raise _failed(f"The host '{host}' is not known: check the URL") from error
        for address in found:
            if not self._fit(address):
                raise Invalid(
                    f"The host '{host}' has the address {address}, which is not public: nothing is imported from there "
                    "unless an admin adds its network to `c.Platform.import_networks`.",
                    field="url",
                    reason="address_not_allowed",
                )
        if not found:
            raise _failed(f"The host '{host}' has no address: check the URL")
        return found

    def _fit(self, address: str) -> bool:
        if is_public(address):
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and (parsed.scope_id is not None or parsed.ipv4_mapped):
            return False
        return any(parsed in network for network in self._networks)

    def pool(self) -> httpcore.AsyncConnectionPool:
        """Return connections that several `get`s may share; to be entered. Each is to an address that was looked at."""
        return httpcore.AsyncConnectionPool(network_backend=_Checked(self), ssl_context=ssl.create_default_context())

    @asynccontextmanager
    async def get(self, url: str, *, shared: httpcore.AsyncConnectionPool | None = None) -> AsyncGenerator[Answer]:
        """GET a URL, redirects followed; the body is what the server sent, not unpacked.

        Raises:
            Invalid: for whatever `check` and `addresses` refuse, here or behind a redirect; if the server cannot be
                reached, is silent for a minute, or answers anything but 200.
        """
        target = self.check(url)
        async with self.pool() if shared is None else nullcontext(shared) as pool:
            for _ in range(MAX_REDIRECTS + 1):
                with _plain_words(target):
                    async with pool.stream(
                        "GET", _raw(target), headers=_headers(target), extensions=_LIMITS
                    ) as response:
                        if response.status not in _REDIRECTS or not _header(response, b"location"):
                            yield _answer(target, response)
                            return
                        target = self._redirected(target, response)
        raise _failed(f"'{target.shown}' is behind more than {MAX_REDIRECTS} redirects")

    def _redirected(self, target: Target, response: httpcore.Response) -> Target:
        where = _header(response, b"location")
        try:
            following = self.check(urljoin(target.url, where))
        except Invalid as error:
            raise Invalid(
                f"'{target.shown}' redirects elsewhere. {error.detail}", field="url", reason=error.reason
            ) from error
        if target.scheme == "https" and following.scheme == "http":
            raise _failed(f"'{target.shown}' redirects from https to http: name the file's own address")
        return following


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever name is asked for."""

    def __init__(self, outward: Outward) -> None:
        self._outward = outward
        backend: Any = httpcore.AnyIOBackend()
        self._backend: httpcore.AsyncNetworkBackend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._outward.addresses(host, port)
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


def parse(url: str) -> Target:
    """Take an http or https URL apart; raise `Invalid` for anything two programs could read differently."""
    if len(url) > MAX_URL or not url.isprintable() or any(sign in url for sign in " \\"):
        raise _bad("is too long, or has spaces, backslashes or signs that do not print")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise _bad("cannot be read") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise _bad("does not begin with http:// or https://")
    if "@" in parts.netloc:
        raise _bad("holds a user name or password, which would be kept and shown: leave it out")
    if "[" in parts.netloc:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            raise _bad("names no address that can be read") from None
        if address.scope_id is not None:
            raise _bad("names an address of one machine only")
        host = address.compressed
    else:
        try:
            host = host if host.isascii() else host.encode("idna").decode()
        except UnicodeError:
            raise _bad("names a host that cannot be read") from None
        host = host.lower()
        if len(host) > 253 or not _NAME.fullmatch(host):
            raise _bad("names no host, or one that cannot be read")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return Target(
        scheme=scheme,
        host=host,
        port=PORTS[scheme] if port is None else port,
        path=path + (f"?{query}" if query else ""),
    )


def _matches(entry: str, target: Target) -> bool:
    name, port = entry, PORTS[target.scheme]
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        port = int(rest[1:]) if rest else port
    elif entry.count(":") == 1:
        name, _, rest = entry.partition(":")
        port = int(rest)
    if target.port != port:
        return False
    return name in ("*", target.host) or (name.startswith("*.") and target.host.endswith(name[1:]))


def _raw(target: Target) -> httpcore.URL:
    return httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )


def _headers(target: Target) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", target.origin.partition("://")[2].encode()),
        (b"User-Agent", f"pumpkin/{VERSION}".encode()),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
    ]


_LIMITS = {
    "timeout": {"connect": CONNECT_SECONDS, "read": STALL_SECONDS, "write": STALL_SECONDS, "pool": CONNECT_SECONDS}
}


def _answer(target: Target, response: httpcore.Response) -> Answer:
    if response.status != 200:
        raise Refused(
            f"'{target.shown}' answers {response.status}: check the URL, and that anybody may read it.",
            answered=response.status,
        )
    length = _header(response, b"content-length")
    return Answer(
        target=target,
        type=_header(response, b"content-type").partition(";")[0].strip().lower(),
        encoding=_header(response, b"content-encoding").strip().lower().replace("identity", ""),
        length=int(length) if length.isdecimal() else None,
        body=response.aiter_stream(),
    )


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")


@contextmanager
def _plain_words(target: Target) -> Generator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise _failed(f"'{target.shown}' is silent: try again later") from error
    except httpcore.NetworkError as error:
        raise _failed(f"'{target.shown}' cannot be reached or broke off ({error}): try again later") from error
    except httpcore.ProtocolError as error:
        raise _failed(f"'{target.shown}' broke off, or does not speak HTTP ({error}): try again later") from error


def _bad(fault: str) -> Invalid:
    return Invalid(f"The URL {fault}.", field="url", reason="bad_url")


def _failed(what: str) -> Invalid:
    return Invalid(f"{what}.", field="url", reason="fetch_failed")
