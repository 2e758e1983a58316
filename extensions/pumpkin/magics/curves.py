"""Metric curves as SVG, drawn here so that a notebook needs no plotting library. Pure: points in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 280, 120, 18
MOST = 12
"""Curves shown at most."""

Points = Sequence[tuple[int, float | None]]


def curves(series: Mapping[str, Points]) -> str:
    """Return one small chart for each metric, in the order they came."""
    charts = [_chart(name, points) for name, points in list(series.items())[:MOST]]
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(charts)}</div>' if charts else ""


def _chart(name: str, points: Points) -> str:
    known = [(step, value) for step, value in points if value is not None]
    if not known:
        return ""
    steps, values = [step for step, _ in known], [value for _, value in known]
    low, high = min(values), max(values)
    x_span, y_span = (max(steps) - min(steps)) or 1, (high - low) or 1.0
    plain = [
        (
            MARGIN + (step - min(steps)) / x_span * (WIDTH - 2 * MARGIN),
            HEIGHT - MARGIN - (value - low) / y_span * (HEIGHT - 2 * MARGIN - 6),
        )
        for step, value in _thinned(known)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in plain)
    last_x, last_y = plain[-1]
    label = f"{escape(name)} {values[-1]:.5g}"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{label}" font-size="11" fill="currentColor">'
        f'<text x="{MARGIN}" y="12">{label}</text>'
        f'<text x="{MARGIN}" y="{HEIGHT - 4}" opacity=".6">step {min(steps)} to {max(steps)}, '
        f"{low:.4g} to {high:.4g}</text>"
        f'<polyline points="{path}" fill="none" stroke="#e8710a" stroke-width="1.5"/>'
        f'<circle cx="{last_x:.1f}" cy="{last_y:.1f}" r="2.5" fill="#e8710a"/></svg>'
    )


def _thinned(points: list[tuple[int, float]], most: int = 500) -> list[tuple[int, float]]:
    """Return at most about `most` points, the last one among them."""
    stride = max(len(points) // most, 1)
    thin = points[::stride]
    return thin if thin[-1] == points[-1] else [*thin, points[-1]]
