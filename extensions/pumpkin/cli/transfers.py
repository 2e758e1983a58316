"""Progress of pushes and pulls: a bar with rate and remaining time on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from pumpkin._protocol import OnProgress, Progress
from pumpkin.cli.frame import wants_json


@contextmanager
def progress(action: str) -> Generator[OnProgress | None]:
    """Show how far a transfer is while the block runs; give the block what to report to."""
    if wants_json() or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    bar = rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.DownloadColumn(binary_units=True),
        rich.TransferSpeedColumn(),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[files]}"),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(action, total=None, files="")

    def report(at: Progress) -> None:
        files = f"{at.files}/{at.total_files} files" if at.total_files else ""
        words = {"finishing": "Finishing", "verifying": "Verifying"}.get(at.phase, action)
        bar.update(task, description=words, completed=at.done, total=at.total or None, files=files)

    with bar:
        yield report
