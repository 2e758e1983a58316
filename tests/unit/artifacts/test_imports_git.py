"""Commits of real repositories, served by git's own program over HTTP: pinned, as they are, and through the guard."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pumpkin_services.artifacts.outward import Outward
from tests.unit.artifacts.elsewhere import Elsewhere, Reply, authority, commit, git, serve
from tests.unit.artifacts.support import Site
from tests.unit.artifacts.test_imports import contents, done, importing, nothing_is_left
from tests.unit.artifacts.test_outward import Resolver

FIRST = {"README.md": b"first\n", "src/train.py": b"print(1)\n"}
SECOND = {
    "README.md": b"second\n",
    ".gitattributes": b"src/* export-ignore\n*.txt export-subst text eol=crlf\n*.md filter=x ident\n",
    "notes.txt": b"$Format:%H$\n$Id$\n",
}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    with serve() as made:
        made.repositories = tmp_path / "repositories"
        yield made


@pytest.fixture
def commits(elsewhere: Elsewhere) -> list[str]:
    """Two commits on `main`, the first tagged `v1` (with a note of its own), a branch `old` at it."""
    assert elsewhere.repositories is not None
    folder = elsewhere.repositories / "code.git"
    first = commit(folder, FIRST)
    git(folder, "tag", "--annotate", "--message", "note", "v1")
    git(folder, "branch", "old/one")
    (folder / "src/latest.py").symlink_to("train.py")
    (folder / "src/train.py").chmod(0o755)
    return [first, commit(folder, SECOND)]


@pytest.fixture
async def site(tmp_path: Path, elsewhere: Elsewhere) -> AsyncIterator[Site]:
    async with importing(tmp_path / "platform", elsewhere) as made:
        yield made


async def test_a_branch_tag_or_commit_is_fetched_and_the_commit_kept(
    site: Site, elsewhere: Elsewhere, commits: list[str]
) -> None:
    first, second = commits
    newest = FIRST | SECOND | {"src/latest.py": FIRST["src/train.py"]}
    url = elsewhere.url("/code.git")
    cases = {"": second, "main": second, "v1": first, "old/one": first, first: first, second: second}
    for number, (ref, expected) in enumerate(cases.items(), start=1):
        made = await done(site, url=url, ref=ref)
        assert (made["error"], made["state"], made["number"]) == (None, "ready", number)
        assert (made["ref"], made["commit"]) == (ref, expected)
        assert await contents(site.world, number) == (FIRST if expected == first else newest)
        assert made["fetched"] > 0
    assert list((site.world.root / "cache" / "imports").iterdir()) == []


async def test_a_repository_that_moved_is_found_where_its_host_may_be_reached(
    site: Site, elsewhere: Elsewhere, commits: list[str]
) -> None:
    where = elsewhere.url("/code.git/info/refs?service=git-upload-pack")
    elsewhere.replies["/old.git/info/refs"] = Reply(status=301, headers={"Location": where})
    made = await done(site, url=elsewhere.url("/old.git"))
    assert (made["error"], made["commit"]) == (None, commits[1])
    where = where.replace("localhost", "127.0.0.1")
    elsewhere.replies["/old.git/info/refs"] = Reply(status=301, headers={"Location": where})
    made = await done(site, url=elsewhere.url("/old.git"))
    assert "redirects elsewhere" in made["error"]


async def test_what_is_not_there_is_told_in_words(site: Site, elsewhere: Elsewhere, commits: list[str]) -> None:
    blob = git(elsewhere.repositories / "code.git", "rev-parse", "HEAD:README.md")  # pyright: ignore
    cases = {
        ("/code.git", "nowhere"): "no branch, tag or commit 'nowhere'",
        ("/code.git", "0" * 40): "no branch, tag or commit '0000",
        ("/code.git", blob): "no branch, tag or commit",
        ("/none.git", ""): "answers 404",
        ("/page.git", ""): "is no git repository",
    }
    elsewhere.replies["/page.git/info/refs"] = Reply(b"<html>")
    for (path, ref), says in cases.items():
        made = await done(site, url=elsewhere.url(path), ref=ref)
        assert made["state"] == "failed"
        assert says in made["error"]
    await nothing_is_left(site.world)


async def test_git_follows_no_redirect_by_itself(site: Site, elsewhere: Elsewhere, commits: list[str]) -> None:
    """The guard sees a good answer; the server sends git, which asks after it, elsewhere."""
    refs = git_refs(elsewhere)
    with serve() as inner:
        inner.repositories = elsewhere.repositories
        answers = iter([
            Reply(refs, headers={"Content-Type": "application/x-git-upload-pack-advertisement"}),
            Reply(status=302, headers={"Location": inner.url("/code.git/info/refs?service=git-upload-pack")}),
        ])  # fmt: skip
        elsewhere.replies = Once({"/two.git/info/refs": answers})
        made = await done(site, url=elsewhere.url("/two.git"))
        assert made["state"] == "failed"
        assert "git could not fetch it" in made["error"]
        assert inner.asked == []


async def test_git_takes_no_objects_of_other_servers(site: Site, elsewhere: Elsewhere, commits: list[str]) -> None:
    """Again a good answer first; then the old protocol, whose alternates name another server."""
    with serve() as inner:
        good = Reply(git_refs(elsewhere), headers={"Content-Type": "application/x-git-upload-pack-advertisement"})
        old = Reply(f"{commits[1]}\trefs/heads/main\n".encode(), headers={"Content-Type": "text/plain"})
        elsewhere.replies = Once({"/two.git/info/refs": iter([good, old])}) | {
            "/two.git/HEAD": Reply(b"ref: refs/heads/main\n"),
            "/two.git/objects/info/http-alternates": Reply(inner.url("/code.git/objects\n").encode()),
            "/two.git/objects/info/alternates": Reply(inner.url("/code.git/objects\n").encode()),
        }
        made = await done(site, url=elsewhere.url("/two.git"))
        assert made["state"] == "failed"
        assert inner.asked == []


class Once(dict[str, Reply]):
    """Replies of which some change from one question to the next."""

    def __init__(self, changing: dict[str, Iterator[Reply]], fixed: dict[str, Reply] | None = None) -> None:
        super().__init__(fixed or {})
        self.changing = changing

    def __or__(self, other: dict[str, Reply]) -> Once:  # pyright: ignore
        return Once(self.changing, {**self, **other})

    def get(self, key: str, default: object = None) -> Reply | None:  # pyright: ignore
        return next(self.changing[key]) if key in self.changing else super().get(key)


def git_refs(elsewhere: Elsewhere) -> bytes:
    import httpx

    return httpx.get(elsewhere.url("/code.git/info/refs?service=git-upload-pack"), trust_env=False).content


async def test_git_connects_to_the_address_that_was_checked_and_to_no_other(
    tmp_path: Path, elsewhere: Elsewhere, commits: list[str]
) -> None:
    """The name means nothing to this machine's resolver: git can only have the address from the guard."""
    hosts = [f"code.example:{elsewhere.port}"]
    for answers, says in (([["127.0.0.1"]], None), ([["127.0.0.1"], ["169.254.169.254"]], "which is not public")):
        outward = Outward(hosts=hosts, networks=["127.0.0.0/8"], resolve=Resolver(*answers))
        async with importing(tmp_path / str(says), elsewhere, outward=outward) as site:
            made = await done(site, url=elsewhere.url("/code.git", host="code.example"))
            assert (says is None and made["commit"] == commits[1]) or says in made["error"]


async def test_git_checks_certificates(
    tmp_path: Path, elsewhere: Elsewhere, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = authority(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serve(tls=context) as secure:
        secure.repositories = elsewhere.repositories
        async with importing(tmp_path / "platform", secure) as site:
            made = await done(site, url=secure.url("/code.git"))
            assert (made["error"], made["commit"]) == (None, commits[1])
            monkeypatch.delenv("SSL_CERT_FILE")
            made = await done(site, url=secure.url("/code.git"))
            assert "CERTIFICATE_VERIFY_FAILED" in made["error"]


async def test_a_commit_over_the_limit_is_refused(tmp_path: Path, elsewhere: Elsewhere) -> None:
    assert elsewhere.repositories is not None
    commit(elsewhere.repositories / "random.git", {"x": os.urandom(3_000_000)})
    commit(elsewhere.repositories / "zeros.git", {"x": bytes(30_000_000)})
    async with importing(tmp_path / "platform", elsewhere, max_bytes=1_000_000) as site:
        for name in ("random", "zeros"):
            made = await done(site, url=elsewhere.url(f"/{name}.git"))
            assert "larger than 1000000 bytes" in made["error"]
            await nothing_is_left(site.world)


async def test_nothing_of_this_machines_git_settings_counts(
    site: Site, elsewhere: Elsewhere, commits: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text(f'[url "http://127.0.0.1:1/"]\n  insteadOf = {elsewhere.url("/")}\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    made = await done(site, url=elsewhere.url("/code.git"))
    assert (made["error"], made["commit"]) == (None, commits[1])


async def test_a_name_in_a_tree_that_leads_out_is_refused(site: Site, elsewhere: Elsewhere) -> None:
    assert elsewhere.repositories is not None
    folder = elsewhere.repositories / "bad.git"
    commit(folder, {"a": b"x"})
    (folder / "link").symlink_to("../../etc/passwd")
    commit(folder, {})
    made = await done(site, url=elsewhere.url("/bad.git"))
    assert "leads out" in made["error"]
