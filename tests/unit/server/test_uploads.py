"""Pushes from a notebook server: in a thread over the real SDK, with an upstream that answers as the platform does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pumpkin._protocol import Progress
from pumpkin.errors import PumpkinError
from pumpkin_server.uploads import Upload, Uploads, Wanted
from tests.unit.sdk.upstream import Request, upstream


def refusing(_request: Request, _: int) -> tuple[int, dict[str, str], bytes]:
    return 403, {"Content-Type": "application/problem+json"}, b'{"detail": "You may not.", "reason": "forbidden"}'


def begun(source: Path, uploads: Uploads | None = None) -> Upload:
    wanted = Wanted(path=source.name, kind="dataset", workspace="ann", name="data")
    return (uploads or Uploads()).begin(wanted, source, {"last_activity_times": {}})


def standing_still(_upload: Upload) -> None:
    """Begin nothing."""


def until(condition: Callable[[], Any]) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    (made / "a.txt").write_text("a")
    return made


def test_a_refusal_is_told_in_the_platforms_words_and_may_be_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with upstream(refusing) as platform:
        monkeypatch.setenv("PUMPKIN_URL", platform.url)
        monkeypatch.setenv("PUMPKIN_TOKEN", "t")
        upload = begun(folder)
        until(lambda: upload.phase == "failed")
        assert upload.view()["error"] == "You may not."
        asked = len(platform.requests)
        upload.retry()
        until(lambda: len(platform.requests) > asked and upload.phase == "failed")


def test_what_is_not_there_is_not_pushed(tmp_path: Path) -> None:
    with pytest.raises(PumpkinError, match="There is no file or folder"):
        begun(tmp_path / "missing")


def test_an_archive_cannot_be_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Upload, "start", standing_still)
    (tmp_path / "x.zip").write_bytes(b"")
    upload = begun(tmp_path / "x.zip")
    upload.pause()
    assert (upload.pausable, upload.phase) == (False, "sending")


def test_so_many_run_at_once_and_each_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Upload, "start", standing_still)
    uploads = Uploads()
    (tmp_path / "0").mkdir()
    begun(tmp_path / "0", uploads)
    with pytest.raises(PumpkinError, match="already"):
        begun(tmp_path / "0", uploads)
    for name in "123":
        (tmp_path / name).mkdir()
        begun(tmp_path / name, uploads)
    (tmp_path / "4").mkdir()
    with pytest.raises(PumpkinError, match="4 uploads are under way"):
        begun(tmp_path / "4", uploads)


def test_a_pause_holds_the_push_until_it_goes_on_or_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[int] = []
    ended: list[BaseException] = []

    def pushing(self: Upload, _client: object) -> None:
        try:
            for step in range(100_000):
                self._report(Progress(phase="sending", done=step))  # pyright: ignore[reportPrivateUsage]
                passed.append(step)
                time.sleep(0.001)
        except BaseException as error:
            ended.append(error)
            raise

    monkeypatch.setattr(Upload, "_push", pushing)
    monkeypatch.setenv("PUMPKIN_TOKEN", "t")
    upload = begun(folder)
    until(lambda: passed)
    upload.pause()
    time.sleep(0.1)
    held = len(passed)
    time.sleep(0.1)
    assert (len(passed), upload.phase) == (held, "paused")
    upload.resume()
    until(lambda: len(passed) > held)
    upload.pause()
    upload.give_up()
    until(lambda: ended)
