import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pumpkin.cli import COMMANDS, cli, words
from tests.unit.sdk.upstream import Upstream, ok, problem, upstream

SPEC = {
    "id": "i", "name": "cpu-small", "description": "A [bold] try", "cpu_milli": 1000, "memory": 2 << 30,
    "accelerators": 0, "accelerator_type": "", "price_micro": 0, "enabled": True,
    "created": "2026-01-01T00:00:00Z", "revision": 1,
}  # fmt: skip


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PUMPKIN_TOKEN", "t")

    def invoke(server: Upstream | None, *arguments: str) -> Result:
        if server is not None:
            monkeypatch.setenv("PUMPKIN_URL", server.url)
        return CliRunner().invoke(cli, arguments)

    return invoke


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.commands]
        elif name not in ("up", "down", "status", "logs", "password", "fsck"):
            found.append((name,))
    return found


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_explains_itself_and_takes_json(command: tuple[str, ...], run: Callable[..., Result]):
    answer = run(None, *command, "--help")
    assert answer.exit_code == 0
    assert len(answer.output.splitlines()) > 3
    assert "--json" in answer.output or command == ("completion",)


def test_help_loads_no_client():
    code = "import sys, pumpkin.cli; print([m for m in ('httpx', 'pydantic', 'rich', 'IPython') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 3), (404, 4), (409, 5), (412, 5), (422, 1)])
def test_a_refusal_is_the_platforms_sentence_and_an_exit_code(status: int, code: int, run: Callable[..., Result]):
    refused = problem(status, "Nothing of that kind.", errors=[{"field": "name", "message": "m"}])
    with upstream(lambda *_: refused) as server:
        answer = run(server, "dataset", "create", "x")
    assert answer.exit_code == code
    assert "name: Nothing of that kind." in answer.stderr
    assert "Traceback" not in answer.output


def test_nobody_home_is_exit_code_6(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PUMPKIN_URL", "http://127.0.0.1:9")
    assert run(None, "spec", "list").exit_code == 6


def test_without_a_token_the_way_in_is_told(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PUMPKIN_TOKEN")
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    answer = run(None, "job", "list")
    assert answer.exit_code == 3
    assert "pumpkin login" in answer.stderr


def test_a_list_is_json_when_asked_and_tabs_in_a_pipe(run: Callable[..., Result]):
    def answer(request: Any, _: int) -> Any:
        return ok({"length": 0, "items": [], "free_specs": []} if "queue" in request.path else {"items": [SPEC]})

    with upstream(answer) as server:
        assert json.loads(run(server, "spec", "list", "--json").output)[0]["name"] == "cpu-small"
        assert run(server, "spec", "list").output == "cpu-small\t1 cores, 2.0 GiB\tfree\ttaken\tA [bold] try\n"


def test_deleting_asks_and_where_nobody_answers_wants_yes(run: Callable[..., Result]):
    with upstream(lambda *_: ok({})) as server:
        answer = run(server, "dataset", "delete", "x")
        assert answer.exit_code == 1
        assert "--yes" in answer.stderr
        assert server.requests == []


@pytest.mark.parametrize(("text", "micro"), [("12", 12_000_000), ("0.000001", 1), ("-1.5", -1_500_000)])
def test_amounts_are_exact(text: str, micro: int):
    assert words.micro(text) == micro


@pytest.mark.parametrize("text", ["", "NaN", "1e999", "0.0000001", "1,5", "Infinity"])
def test_what_is_no_amount_is_refused(text: str):
    with pytest.raises(ValueError):
        words.micro(text)


def test_money_and_sizes_read_well():
    assert words.money(1_500_000, "¥") == "¥1.50"
    assert words.money(-1) == "-0.000001"
    assert words.size(1536) == "1.5 KiB"
