"""TAB after `%pumpkin`, through IPython's own completer with Jedi on."""

from __future__ import annotations

import threading
import time

import pytest
from IPython.core.completer import Completion, provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from pumpkin.magics.completion import TIMEOUT
from tests.unit.magics.platform import JOB, Platform, asset, environment, workload
from tests.unit.sdk.upstream import Request, Upstream, upstream


def completions(shell: InteractiveShell, text: str) -> list[Completion]:
    """Return everything TAB offers at the end of `text`."""
    assert shell.Completer.use_jedi
    with provisionalcompleter():
        return [*shell.Completer.completions(text, len(text))]


def tab(shell: InteractiveShell, text: str) -> list[str]:
    """Return what `%pumpkin` offers; where it offers something, it alone does."""
    found = completions(shell, text)
    mine = [each for each in found if each.type == "pumpkin"]
    if mine:
        assert len(mine) == len(found)
        assert {each.start for each in mine} == {max(text.rfind(" "), text.rfind("=")) + 1}
    return [each.text for each in mine]


def test_words_come_first(shell: InteractiveShell):
    words = tab(shell, "%pumpkin ")
    assert {"dataset", "job", "spec", "usage", "attach", "stop", "env", "help"} <= set(words)
    assert tab(shell, "x = 1\n%pumpkin us") == ["usage"]
    assert tab(shell, "%%pumpkin ") == ["job"]


def test_options_of_a_cell_come_once_but_for_repeatable_ones(shell: InteractiveShell):
    first = tab(shell, "%%pumpkin job --")
    assert {"--spec", "--dataset", "--algorithm", "--model", "--environment", "--env", "--wait"} <= set(first)
    later = tab(shell, "%%pumpkin job --spec s --dataset d --")
    assert "--spec" not in later
    assert "--dataset" in later
    assert "--environment" not in tab(shell, "%%pumpkin job -e default --")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("%%pumpkin job --spec ", ["cpu-small", "gpu"]),
        ("%%pumpkin job --spec g", ["gpu"]),
        ("%%pumpkin job --spec=g", ["gpu"]),
        ("%%pumpkin job --spec gpu --dataset ", ["digits", "lab/words", "alice/words"]),
        ("%%pumpkin job -d lab/", ["lab/words"]),
        ("%%pumpkin job --model ", ["net"]),
        ("%%pumpkin job --algorithm ", []),
        ("%%pumpkin job --environment ", ["default", "tools"]),
        ("%%pumpkin job -e d", ["default"]),
        ("%%pumpkin job --output n", ["net"]),
        ("%%pumpkin job --workspace ", ["alice"]),
        ("%pumpkin dataset d", ["digits"]),
        ("%pumpkin datasets d", ["digits"]),
        ("%pumpkin env ", ["save", "default", "tools"]),
        ("%pumpkin env save ", ["tools"]),
        ("%pumpkin job ", ["train", JOB]),
        ("%pumpkin attach t", ["train"]),
        ("%pumpkin stop ", ["train", JOB]),
    ],
)
def test_names_the_user_may_use_follow(
    line: str, names: list[str], shell: InteractiveShell, platform: Platform, server: Upstream
):
    platform.datasets += [asset("words", workspace="lab"), asset("words")]
    platform.environments.append(environment("tools", workspace="alice"))
    assert tab(shell, line) == names


def test_only_the_first_line_of_a_cell_is_a_cells_magic(shell: InteractiveShell, server: Upstream):
    assert tab(shell, "%%pumpkin job --spec gpu\n%%pumpkin job --spec ") == []
    assert tab(shell, "%%pumpkin job --spec gpu\nimport o") == []
    assert server.requests == []


def test_names_are_kept_for_some_seconds(shell: InteractiveShell, server: Upstream):
    for _ in range(3):
        assert tab(shell, "%%pumpkin job --spec ") == ["cpu-small", "gpu"]
    assert len(server.requests) == 1


def test_a_platform_that_is_away_costs_one_short_wait_and_says_nothing(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    release = threading.Event()

    def hang(_request: Request, _number: int) -> tuple[int, dict[str, str], bytes]:
        release.wait(20)
        return 503, {}, b""

    with upstream(hang) as server:
        monkeypatch.setenv("PUMPKIN_URL", server.url)
        monkeypatch.setenv("PUMPKIN_TOKEN", "t")
        tab(shell, "%pumpkin ")  # what is loaded on first use is no part of the wait
        began = time.monotonic()
        assert tab(shell, "%pumpkin dataset ") == []
        assert time.monotonic() - began < TIMEOUT + 1
        began = time.monotonic()
        for text in ("%pumpkin dataset ", "%pumpkin dataset d", "%pumpkin model "):
            assert tab(shell, text) == []
        assert time.monotonic() - began < TIMEOUT, "known to be away, it is not waited for again"
        release.set()
    told = capsys.readouterr()
    assert told.out + told.err == ""


@pytest.mark.parametrize("token", ["", "t"])
def test_nobody_there_and_nobody_logged_in_are_silent(
    token: str, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PUMPKIN_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PUMPKIN_TOKEN", token)
    assert tab(shell, "%%pumpkin job --spec ") == []
    assert tab(shell, "%pumpkin attach ") == []
    told = capsys.readouterr()
    assert told.out + told.err == ""


def test_an_answer_that_came_too_late_serves_the_next_tab(
    shell: InteractiveShell, platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    def slow(request: Request, number: int) -> tuple[int, dict[str, str], bytes]:
        time.sleep(TIMEOUT + 0.3)
        return platform.answer(request, number)

    with upstream(slow) as server:
        monkeypatch.setenv("PUMPKIN_URL", server.url)
        monkeypatch.setenv("PUMPKIN_TOKEN", "t")
        assert tab(shell, "%%pumpkin job --spec ") == []
        time.sleep(0.8)
        assert tab(shell, "%%pumpkin job --spec ") == ["cpu-small", "gpu"]


def test_loading_again_completes_once(shell: InteractiveShell):
    shell.run_line_magic("reload_ext", "pumpkin")
    assert tab(shell, "%pumpkin us") == ["usage"]
    assert len([each for each in shell.Completer.custom_matchers if each.matcher_identifier == "pumpkin"]) == 1


def test_a_name_that_is_markup_is_only_text(shell: InteractiveShell, platform: Platform, server: Upstream):
    platform.jobs = [workload("<b>x</b>")]
    assert tab(shell, "%pumpkin attach <") == ["<b>x</b>"]
