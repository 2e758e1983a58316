"""Watching a job from a notebook: widgets that go on living after the cell returned, or plain text."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, cast

from IPython.core.getipython import get_ipython

from pumpkin.cli import words
from pumpkin.cli.follow import ENDED, log_text
from pumpkin.errors import PumpkinError
from pumpkin.magics.curves import curves
from pumpkin.magics.links import Portal
from pumpkin.magics.lists import currency
from pumpkin.magics.show import Cell, display

if TYPE_CHECKING:
    from pumpkin import Client

SHOWN_LOG = 60_000
"""Characters of the log kept on the page; all of it is in `pumpkin job logs`."""
PAINT_SECONDS = 0.2
"""Pause between two drawings of the page."""
COLORS = {"succeeded": "#188038", "failed": "#d93025", "stopped": "#e37400"}


def watch(client: Client, job: str, *, wait: bool) -> None:
    """Show a job live. With widgets this returns at once (unless `wait`); as text it returns at the job's end."""
    if not _has_widgets():
        watch_text(client, job)
        return
    view = JobView(client, job)
    view.display()
    if wait:
        view.join()


def watch_text(client: Client, job: str) -> None:
    """Print phases and the log until the job ends; interrupting only ends the watching."""
    attempt = 0
    print(f"job {job}")
    try:
        for event in client.jobs.follow_events(job):
            print(f"{event.time.astimezone():%H:%M:%S} {event.message}")
            if event.type == "running":
                attempt += 1
                for piece in client.jobs.follow_log(job, attempt=attempt):
                    sys.stdout.write(log_text(piece))
    except KeyboardInterrupt:
        print(f"The job runs on. Come back: %pumpkin attach {job}")
        return
    print(ended_sentence(client.jobs.get(job)))


def ended_sentence(job: Any) -> str:
    """Say how a job stands."""
    ran = words.lasted(job.started, job.finished)
    made = f" It made the model {job.output}." if job.output else ""
    because = f": {job.message}" if job.message else "."
    return f"{job.name} {job.phase}{f' after {ran}' if ran else ''}{because}{made}"


def _has_widgets() -> bool:
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return False
    return importlib.util.find_spec("ipywidgets") is not None


class JobView:
    """A job on the page: a head line, a stop button, curves, the log. Threads keep it up to date to the end."""

    def __init__(self, client: Client, job: str) -> None:
        import ipywidgets as widgets

        self.client = client
        self.job = job
        self.currency = currency(client)
        self.log = ""
        self.is_cut = False
        self.points: defaultdict[str, list[tuple[int, float | None]]] = defaultdict(list)
        self.news = threading.Event()
        self.head = widgets.HTML(escape(job))
        self.stop = widgets.Button(description="Stop", icon="stop", tooltip="Stop the job", layout={"width": "90px"})
        cast(Any, self.stop).on_click(self._stop)
        self.charts = widgets.HTML()
        self.text = widgets.HTML()
        top = widgets.HBox([self.stop, self.head], layout={"align_items": "center"})
        self.box = widgets.VBox([top, self.charts, self.text])
        self.followers = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._follow_events, self._follow_log, self._follow_metrics)
        ]
        self.painter = threading.Thread(target=self._paint, daemon=True)

    def display(self) -> None:
        """Put it on the page and begin to follow."""
        print(f"Job {self.job}; come back to it after a restart of the kernel: %pumpkin attach {self.job}")
        display(self.box)
        self._refresh()
        for thread in (*self.followers, self.painter):
            thread.start()

    def join(self) -> None:
        """Wait for the job's end."""
        while self.painter.is_alive():
            self.painter.join(0.2)  # short, so that an interrupt is heard

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except PumpkinError as error:
            self.head.value = f"<b>{escape(self.job)}</b> {escape(str(error))}"

    def _follow_events(self) -> None:
        for _ in self.client.jobs.follow_events(self.job):
            self._refresh()
        self._refresh()

    def _follow_log(self) -> None:
        for piece in self.client.jobs.follow_log(self.job):
            whole = self.log + log_text(piece)
            self.log, self.is_cut = whole[-SHOWN_LOG:], self.is_cut or len(whole) > SHOWN_LOG
            self.news.set()

    def _follow_metrics(self) -> None:
        for point in self.client.jobs.follow_metrics(self.job):
            self.points[point.name].append((point.step, point.value))
            self.news.set()

    def _paint(self) -> None:
        """Draw what came, a few times a second: a job that is attached to again sends its whole past at once."""
        while any(thread.is_alive() for thread in self.followers):
            if self.news.wait(PAINT_SECONDS):
                self.news.clear()
                self._draw()
            time.sleep(PAINT_SECONDS)
        self._draw()

    def _draw(self) -> None:
        self.charts.value = curves({name: [*points] for name, points in [*self.points.items()]})
        where = f"<div>The end of the log; all of it: pumpkin job logs {escape(self.job)}</div>"
        # Escaped: what a job prints is text, never markup. The column keeps the newest line in sight.
        self.text.value = (where if self.is_cut else "") + (
            '<div style="max-height:320px;overflow:auto;display:flex;flex-direction:column-reverse">'
            f'<pre style="margin:0;line-height:1.3">{escape(self.log)}</pre></div>'
        )

    def _refresh(self) -> None:
        job = self.client.jobs.get(self.job)
        color = COLORS.get(job.phase, "#1a73e8")
        forecast = job.forecast
        place = f"position {forecast.position}" if forecast else ""
        facts = [job.spec, words.price(job.price_micro, self.currency), place, job.message, job.output]
        rest = " · ".join(escape(fact) for fact in facts if fact)
        name = Cell(job.name, Portal.of(self.client.config).workload(job)).html()
        self.head.value = f'<b>{name}</b> <b style="color:{color}">{job.phase}</b> {rest}'
        self.stop.disabled = job.phase in ENDED

    def _stop(self, _button: Any) -> None:
        self.stop.disabled = True
        self._guarded(self._stop_now)

    def _stop_now(self) -> None:
        self.client.jobs.stop(self.job)
        self._refresh()
