"""What `%pumpkin` lists, as HTML and as text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from pumpkin.magics.show import Cell, facts, grid
from tests.unit.magics.platform import JOB, Platform, asset, balance, spec, workload
from tests.unit.sdk.upstream import Upstream

ALL = ("dataset", "algorithm", "model", "env", "spec", "job")


class Page(HTMLParser):
    """The links, titles, tags and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.titles: list[str] = []
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.href = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.titles += [given["title"] or ""] if "title" in given else []
        if tag == "a":
            self.href = given["href"] or ""
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.href = ""

    def handle_data(self, data: str) -> None:
        if self.href:
            self.links[data] = self.href
        if self.cells:
            self.cells[-1] += data


def shown(shell: InteractiveShell, line: str) -> tuple[list[Page], str]:
    """Run a line; return what it displayed as HTML, and all of it as text."""
    with capture_output() as captured:
        result = shell.run_cell(line)
    assert result.success, captured.stderr
    bundles: list[dict[str, Any]] = [output.data for output in captured.outputs]
    text = captured.stdout + "\n".join(bundle["text/plain"] for bundle in bundles)
    return [Page(bundle["text/html"]) for bundle in bundles], text


def test_datasets_link_into_the_portal_and_have_units(shell: InteractiveShell, server: Upstream):
    [page], text = shown(shell, "%pumpkin dataset")
    assert page.links["alice/digits"] == f"{server.url}/services/pumpkin/datasets/alice/digits"
    assert page.titles == ["2026-01-02 03:04:05 UTC"]
    assert "1.5 MiB" in page.cells
    assert text.splitlines()[0].split() == ["name", "version", "size", "labels", "updated"]


@pytest.mark.parametrize("word", ALL)
def test_singular_and_plural_are_the_same(word: str, shell: InteractiveShell, server: Upstream):
    assert shown(shell, f"%pumpkin {word}")[1] == shown(shell, f"%pumpkin {word}s")[1]


@pytest.mark.parametrize("word", [*ALL, "usage", "", "dataset digits", "model net", "env default", "job train"])
def test_the_text_says_what_the_table_says(word: str, shell: InteractiveShell, server: Upstream):
    pages, text = shown(shell, f"%pumpkin {word}")
    for page in pages:
        assert [cell for cell in page.cells if cell not in text] == []


@pytest.mark.parametrize("word", [*ALL, "usage", "", "dataset digits", "job train", "spec cpu-small"])
def test_nothing_the_platform_says_is_markup(word: str, shell: InteractiveShell, platform: Platform, server: Upstream):
    evil = "<script>alert('1')</script>\x1b[2J\"&"
    platform.datasets = [asset("digits", labels=[evil], description=evil, type=evil, creator=evil)]
    platform.models = [asset("net", workspace=evil)]
    platform.environments[0] |= {"description": evil, "workspace": evil}
    platform.specs = [spec("cpu-small", description=evil, accelerators=1, accelerator_type=evil)]
    platform.jobs = [workload("train", message=evil, spec=evil, labels=[evil], datasets=[f"{evil}/{evil}@1"])]
    platform.balances = [balance(workspace=evil, currency=evil)]
    pages, text = shown(shell, f"%pumpkin {word}")
    for page in pages:
        assert page.tags <= {"table", "thead", "tbody", "tr", "th", "td", "a", "span", "p"}
        assert all(link.startswith(server.url) for link in page.links.values())
    assert "\x1b" not in text, "text must not steer a terminal"


def test_one_dataset_is_shown_with_its_versions(shell: InteractiveShell, server: Upstream):
    [facts, versions], text = shown(shell, "%pumpkin dataset digits")
    assert "alice/digits" in facts.cells
    assert versions.links["@1"] == f"{server.url}/services/pumpkin/datasets/alice/digits?version=1"
    assert "2 files" in versions.cells
    assert "(2026-01-02 03:04:05 UTC)" in text


def test_a_model_tells_which_job_made_it(shell: InteractiveShell, platform: Platform, server: Upstream):
    platform.lineage = {"job": JOB, "job_name": "train", "datasets": ["alice/digits@2"], "metrics": {"loss": 0.25}}
    [facts, _versions], text = shown(shell, "%pumpkin model net")
    assert facts.links[f"train ({JOB})"] == f"{server.url}/services/pumpkin/jobs/{JOB}"
    assert facts.links["alice/digits@2"] == f"{server.url}/services/pumpkin/datasets/alice/digits?version=2"
    assert "loss 0.25" in text


def test_usage_shows_what_runs_since_when_and_what_it_costs(shell: InteractiveShell, server: Upstream):
    [busy, balances], text = shown(shell, "%pumpkin usage")
    assert busy.links["train"] == f"{server.url}/services/pumpkin/jobs/{JOB}"
    assert {"cpu-small", "2.0 h ago", "¥3.00", "¥1.50/h"} <= set(busy.cells)
    assert {"alice", "¥49.50", "¥7.25", "¥1.50/h", "2.0 h"} <= set(balances.cells)
    query = next(request.path for request in server.requests if "/workloads?" in request.path)
    assert "creator=alice" in query
    assert "phase=running" in query
    assert "finished" not in text


def test_usage_of_nobody_busy_is_a_sentence_and_the_balance(
    shell: InteractiveShell, platform: Platform, server: Upstream
):
    platform.jobs = []
    [balances], text = shown(shell, "%pumpkin usage")
    assert text.startswith("Nothing of yours runs or waits.")
    assert "¥49.50" in balances.cells


def test_specs_have_a_price_with_its_currency_and_whether_they_are_free(shell: InteractiveShell, server: Upstream):
    [page], _ = shown(shell, "%pumpkin specs")
    assert page.cells[5:10] == ["cpu-small", "2 cores, 4.0 GiB", "¥1.50/h", "free now", ""]
    assert page.cells[10:14] == ["gpu", "2 cores, 4.0 GiB, 1 x H200", "¥12.00/h", "taken"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("%pumpkin spec nope", "There is no spec 'nope'"),
        ("%pumpkin dataset nope", "There is no dataset 'nope'"),
        ("%pumpkin dataset a b", "takes one name or none"),
        ("%pumpkin usage now", "takes nothing more"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(
    line: str, sentence: str, shell: InteractiveShell, server: Upstream, capsys: pytest.CaptureFixture[str]
):
    assert not shell.run_cell(line).success
    told = capsys.readouterr()
    assert sentence in told.err
    assert "Traceback" not in told.err


def test_a_long_list_says_where_the_rest_is(shell: InteractiveShell, platform: Platform, server: Upstream):
    platform.datasets = [asset(f"set-{number}") for number in range(51)]
    [page], text = shown(shell, "%pumpkin datasets")
    assert "alice/set-49" in page.links
    assert "alice/set-50" not in page.links
    assert text.endswith(f"The newest 50; all of them: {server.url}/services/pumpkin/datasets")


@pytest.mark.parametrize(
    ("public", "expected"),
    [("", "/lab/services/pumpkin/"), ("https://gpu.example.org/lab/hub/", "https://gpu.example.org/lab/services/pumpkin/")],
)  # fmt: skip
def test_in_a_notebook_server_links_are_the_browsers(
    public: str, expected: str, shell: InteractiveShell, server: Upstream, monkeypatch: pytest.MonkeyPatch
):
    # There PUMPKIN_URL is the service's own port, which no browser need reach.
    monkeypatch.setenv("JUPYTERHUB_BASE_URL", "/lab/")
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_HUB_URL", public)
    [page], _ = shown(shell, "%pumpkin datasets")
    assert page.links == {"alice/digits": f"{expected}datasets/alice/digits"}


def test_text_is_aligned_by_the_columns_characters_take(shell: InteractiveShell):
    with capture_output() as captured:
        grid(["name", "n"], [["南瓜", 1], [Cell("a\nb"), 2]])
        facts([("left", "one\ntwo"), ("empty", ""), ("by", "me")])
    table, pairs = (output.data["text/plain"] for output in captured.outputs)
    assert table.splitlines() == ["name  n", "南瓜  1", "a b   2"]
    assert pairs.splitlines() == ["left  one", "      two", "by    me"]
