"""The guard of imports: what is not public is not reached, by no name, redirect or change of mind of a resolver."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpkin_services.artifacts.outward import Outward, is_public, parse
from pumpkin_services.problems import Invalid
from tests.unit.artifacts.elsewhere import LOOPBACK, Elsewhere, Reply, authority, serve

REFUSED = """
127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254
169.254.0.1 100.64.0.1 100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 192.88.99.1
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 fc00::1
fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 2001::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 5f00::1
2606:4700::1%lo localhost 127.1 0x7f.1 2130706433 08.8.8.8 8.8.8 [::1]
""".split()  # noqa: SIM905
PUBLIC = """
8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 172.15.0.1
172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 223.255.255.255 2606:4700::1111 2a00:1450::1 2400:cb00::1
""".split()  # noqa: SIM905


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_told(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_told(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_no_address_of_four_bytes_is_public_in_a_longer_one(address: ipaddress.IPv4Address) -> None:
    carried = int(address)
    for base in ("::ffff:0:0", "::", "64:ff9b::", "::ffff:0:0:0"):
        assert not is_public(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(base)) + carried)))
    assert not is_public(str(ipaddress.IPv6Address((0x2002 << 112) + (carried << 80) + 1)))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_holds_for_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = address.is_private or address.is_multicast or address.is_loopback or address.is_link_local
    if special or address.is_reserved or address.is_unspecified:
        assert not is_public(str(address))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ftp://example.org/a", "does not begin with http"),
        ("file:///etc/passwd", "does not begin with http"),
        ("//example.org/a", "does not begin with http"),
        ("gopher://example.org/", "does not begin with http"),
        ("https:///a", "names no host"),
        ("https://user@example.org/", "user name or password"),
        ("https://a:b@example.org/", "user name or password"),
        ("https://example.org\\@evil.org/", "backslashes"),
        ("https://example.org/a b", "spaces"),
        ("https://example.org/\r\nHost: x", "spaces"),
        ("https://example.org/\0", "do not print"),
        ("https://example.org:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://[v1.x]/", "no address"),
        ("https://[fe80::1%25lo]/", "one machine only"),
        ("https://exa%6dple.org/", "cannot be read"),
        ("https://-a.org/", "cannot be read"),
        ("https://" + "a" * 64 + ".org/", "cannot be read"),
        ("https://example.org/" + "a" * 8000, "too long"),
    ],
)
def test_a_url_two_programs_could_read_differently_is_refused(url: str, fault: str) -> None:
    with pytest.raises(Invalid, match=fault):
        parse(url)


def test_a_url_is_written_in_one_way() -> None:
    target = parse("HTTPS://Example.ORG.:443/a/%7e/ü?q=a b#part".replace("a b", "ab"))
    assert target.url == "https://example.org/a/%7e/%C3%BC?q=ab"
    assert target.shown == "https://example.org/a/%7e/%C3%BC"
    assert parse("http://bücher.example").url == "http://xn--bcher-kva.example/"
    assert parse("http://[2001:0DB8::1]:8080/").origin == "http://[2001:db8::1]:8080"


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.org/{text}"):
        try:
            target = parse(url)
        except Invalid:
            continue
        assert parse(target.url) == target


@pytest.mark.parametrize(
    ("hosts", "url", "may"),
    [
        ([], "https://example.org/", False),
        (["example.org"], "https://example.org/a", True),
        (["Example.org"], "http://example.org/a", True),
        (["example.org"], "https://example.org:8443/a", False),
        (["example.org:8443"], "https://example.org:8443/a", True),
        (["example.org"], "https://www.example.org/", False),
        (["*.example.org"], "https://www.example.org/", True),
        (["*.example.org"], "https://example.org/", False),
        (["*.example.org"], "https://badexample.org/", False),
        (["example.org"], "https://example.org.evil.org/", False),
        (["*"], "https://anything.example/", True),
        (["*"], "https://anything.example:22/", False),
        (["[2001:db8::1]"], "https://[2001:db8::1]/", False),
        (["[2606:4700::1]:81"], "http://[2606:4700::1]:81/", True),
    ],
)
def test_only_hosts_on_the_list_may_be_named(hosts: list[str], url: str, may: bool) -> None:
    outward = Outward(hosts=hosts)
    if may:
        outward.check(url)
    elif hosts == ["[2001:db8::1]"]:
        outward.check(url)  # on the list; its address is what is refused, later
    else:
        with pytest.raises(Invalid) as caught:
            outward.check(url)
        assert caught.value.reason == "host_not_allowed"


class Resolver:
    """Answers one after the other, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def read(outward: Outward, url: str) -> bytes:
    async with outward.get(url) as answer:
        return b"".join([piece async for piece in answer.body])


@pytest.fixture
def site():
    with serve() as made:
        made.replies["/a"] = Reply(b"hello")
        yield made


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1%lo"])
async def test_a_name_that_means_an_inner_address_is_refused(site: Elsewhere, address: str) -> None:
    for answer in ([address], ["8.8.8.8", address]):
        outward = Outward(hosts=site.hosts, resolve=Resolver(answer))
        with pytest.raises(Invalid, match="not public") as caught:
            await read(outward, site.url("/a"))
        assert caught.value.reason == "address_not_allowed"
    assert site.asked == []


async def test_an_inner_network_may_be_named_but_not_in_disguise(site: Elsewhere) -> None:
    assert await read(Outward(hosts=site.hosts, networks=LOOPBACK), site.url("/a")) == b"hello"
    disguised = Outward(hosts=site.hosts, networks=[*LOOPBACK, "::/0"], resolve=Resolver(["::ffff:127.0.0.1"]))
    with pytest.raises(Invalid, match="not public"):
        await read(disguised, site.url("/a"))


async def test_the_names_of_this_machine_and_of_numbers_are_no_way_in(site: Elsewhere) -> None:
    for host in ("localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]"):
        url = f"http://{host}:{site.port}/a"
        with pytest.raises(Invalid, match=r"not public|is not known|names no"):
            await read(Outward(hosts=[parse(url).origin.partition("//")[2]]), url)
    assert site.asked == []


async def test_the_connection_goes_to_the_address_that_was_checked(site: Elsewhere) -> None:
    """The resolver changes its mind after the check: the second answer is never asked for."""
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"])
    outward = Outward(hosts=[f"rebinding.example:{site.port}"], networks=["127.0.0.1/32"], resolve=resolver)
    assert await read(outward, site.url("/a", host="rebinding.example")) == b"hello"
    assert resolver.asked == 1
    assert site.asked == [("/a", f"rebinding.example:{site.port}")]
    with pytest.raises(Invalid, match=r"127\.0\.0\.2, which is not public"):
        await read(outward, site.url("/a", host="rebinding.example"))


async def test_every_redirect_is_checked_again(site: Elsewhere) -> None:
    resolver = Resolver(["127.0.0.1"], ["169.254.169.254"])
    outward = Outward(hosts=[*site.hosts, "metadata.example"], networks=["127.0.0.1/32"], resolve=resolver)
    site.replies["/r"] = Reply(status=302, headers={"Location": "http://metadata.example/latest/meta-data/"})
    with pytest.raises(Invalid, match=r"169\.254\.169\.254, which is not public"):
        await read(outward, site.url("/r"))
    inner = Outward(hosts=site.hosts, networks=LOOPBACK)
    for where in (f"http://127.0.0.1:{site.port}/a", "http://169.254.169.254/", "file:///etc/passwd", "//[::1]/"):
        site.replies["/r"] = Reply(status=307, headers={"Location": where})
        with pytest.raises(Invalid, match="redirects elsewhere"):
            await read(inner, site.url("/r"))
    assert [path for path, _ in site.asked] == ["/r"] * 5


async def test_redirects_are_followed_but_not_for_ever(site: Elsewhere) -> None:
    outward = Outward(hosts=site.hosts, networks=LOOPBACK)
    site.replies["/1"] = Reply(status=301, headers={"Location": "../x/../2?sig=secret"})
    site.replies["/2"] = Reply(status=303, headers={"Location": site.url("/a")})
    assert await read(outward, site.url("/1")) == b"hello"
    site.replies["/r"] = Reply(status=302, headers={"Location": "/r"})
    with pytest.raises(Invalid, match="more than 5 redirects"):
        await read(outward, site.url("/r"))
    site.replies["/e"] = Reply(status=302)
    with pytest.raises(Invalid, match="answers 302"):
        await read(outward, site.url("/e"))


async def test_the_certificate_must_be_of_the_name_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = authority(tmp_path, "data.example")
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)  # pyright: ignore
    with serve(tls=context) as site:
        site.replies["/a"] = Reply(b"hello")
        outward = Outward(hosts=[f"*:{site.port}"], networks=LOOPBACK, resolve=Resolver(["127.0.0.1"]))
        with pytest.raises(Invalid, match=r"cannot be reached.*CERTIFICATE_VERIFY_FAILED"):
            await read(outward, site.url("/a", host="data.example"))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert await read(outward, site.url("/a", host="data.example")) == b"hello"
        with pytest.raises(Invalid, match=r"cannot be reached.*not valid for 'other.example'"):
            await read(outward, site.url("/a", host="other.example"))
        site.replies["/down"] = Reply(status=302, headers={"Location": f"http://data.example:{site.port}/a"})
        with pytest.raises(Invalid, match="from https to http"):
            await read(outward, site.url("/down", host="data.example"))
    assert names == ["data.example", "data.example", "other.example", "data.example"]


async def test_a_server_that_is_away_breaks_off_or_says_no_is_told_in_words(site: Elsewhere) -> None:
    outward = Outward(hosts=[*site.hosts, "localhost:1", "nowhere.invalid"], networks=LOOPBACK)
    site.replies["/short"] = Reply(b"half", length=1000)
    site.replies["/no"] = Reply(b"", status=403)
    cases = {
        site.url("/short"): "broke off",
        site.url("/no?sig=secret"): r"/no' answers 403: check the URL",
        site.url("/none"): "answers 404",
        "http://localhost:1/": "cannot be reached",
        "http://nowhere.invalid/": "is not known",
    }
    for url, says in cases.items():
        with pytest.raises(Invalid, match=says):
            await read(outward, url)
