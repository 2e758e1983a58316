"""Tables that are HTML in a notebook and aligned text elsewhere, with the same content."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, cast

from IPython import display as ipython

from pumpkin.cli import words

display: Callable[..., None] = cast(Any, ipython).display
LEFT = 'style="text-align:left"'
LINES = 'style="text-align:left;white-space:pre-wrap"'


@dataclass(frozen=True)
class Cell:
    """A value as it is shown: `href` is where it leads, `title` the exact value behind a rounded one."""

    text: str
    href: str = ""
    title: str = ""

    def html(self) -> str:
        """Return it as HTML. Whatever it holds is text, never markup."""
        shown = escape(self.text)
        if self.title:
            shown = f'<span title="{escape(self.title)}">{shown}</span>'
        if self.href:
            shown = f'<a href="{escape(self.href)}" target="_blank" rel="noopener">{shown}</a>'
        return shown


Value = str | int | Cell | Sequence[Cell]
"""What a table takes: a text, a number that needs no unit, a cell, or several."""


def when(time: datetime | None) -> Cell:
    """Return how long ago a time is, with the exact one behind it."""
    if time is None:
        return Cell("")
    return Cell(words.ago(time), title=f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def grid(head: Sequence[str], rows: Sequence[Sequence[Value]], *, note: Cell | None = None) -> None:
    """Display a table, and a note below it."""
    cells = [[_cells(value) for value in row] for row in rows]
    plain = [[*head], *([_line(" ".join(_text(value).split("\n"))) for value in row] for row in cells)]
    widths = [max(_width(row[at]) for row in plain) for at in range(len(head))]
    lines = ["  ".join(_padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in plain]
    th = "".join(f"<th {LEFT}>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td {LEFT}>{_html(value)}</td>" for value in row) + "</tr>" for row in cells)
    html = f"<table><thead><tr>{th}</tr></thead><tbody>{body}</tbody></table>"
    if note is not None:
        lines.append(f"{note.text} {note.href}".rstrip())
        html += f"<p>{note.html()}</p>"
    _display("\n".join(lines), html)


def facts(pairs: Sequence[tuple[str, Value]]) -> None:
    """Display names and values; empty values are left out. As text, the exact times are written out."""
    kept = [(name, cells) for name, value in pairs if _text(cells := _cells(value))]
    width = max(_width(name) for name, _ in kept)
    text = "\n".join(
        f"{_padded(name, width)}  " + f"\n{' ' * width}  ".join(_line(line) for line in _exact(cells).split("\n"))
        for name, cells in kept
    )
    rows = "".join(f"<tr><th {LEFT}>{escape(name)}</th><td {LINES}>{_html(cells)}</td></tr>" for name, cells in kept)
    _display(text, f"<table>{rows}</table>")


def _cells(value: Value) -> Sequence[Cell]:
    if isinstance(value, Cell):
        return [value]
    return [Cell(str(value))] if isinstance(value, str | int) else value


def _html(cells: Sequence[Cell]) -> str:
    return ", ".join(cell.html() for cell in cells)


def _text(cells: Sequence[Cell]) -> str:
    return ", ".join(cell.text for cell in cells)


def _exact(cells: Sequence[Cell]) -> str:
    return ", ".join(f"{cell.text} ({cell.title})" if cell.title else cell.text for cell in cells)


def _line(text: str) -> str:
    """Return `text` as a terminal may have it: what would steer the terminal becomes a space."""
    return "".join(one if one.isprintable() else " " for one in text)


def _width(text: str) -> int:
    """Return the columns a terminal needs for `text`: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else not unicodedata.combining(one) for one in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _display(text: str, html: str) -> None:
    display({"text/plain": text, "text/html": html}, raw=True)
