"""Tables that are HTML in a notebook and aligned text elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, cast

from IPython import display as ipython

display: Callable[..., None] = cast(Any, ipython).display


def grid(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Display a table."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[at]) for line in [[*head], *cells]) for at in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
             for line in [[*head], *cells]]  # fmt: skip
    th = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row) + "</tr>" for row in cells
    )
    _display("\n".join(lines), f"<table><thead><tr>{th}</tr></thead><tbody>{body}</tbody></table>")


def facts(pairs: Sequence[tuple[str, Any]]) -> None:
    """Display names and values."""
    width = max(len(name) for name, _ in pairs)
    text = "\n".join(f"{name:<{width}}  {value}" for name, value in pairs)
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(str(value))}</td></tr>'
        for name, value in pairs
    )
    _display(text, f"<table>{rows}</table>")


def _display(text: str, html: str) -> None:
    display({"text/plain": text, "text/html": html}, raw=True)
