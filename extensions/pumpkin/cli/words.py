"""Values as people read them: sizes, money, times, shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

PHASES = {"succeeded": "green", "failed": "red", "stopped": "yellow", "running": "cyan"}


def size(count: int) -> str:
    """Return bytes with a unit: `1.5 MiB`."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("the loop ends with TiB")


def money(micro: int, currency: str = "") -> str:
    """Return millionths of a unit as a decimal without needless zeros, two places at least: `0.10`."""
    sign, rest = ("-" if micro < 0 else ""), abs(micro)
    places = f"{rest % 1_000_000:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{currency}{rest // 1_000_000}.{places}"


def micro(text: str) -> int:
    """Return a decimal amount in millionths; raise `ValueError` for what is none or is finer than that."""
    from decimal import Decimal, InvalidOperation

    try:
        value = Decimal(text) * 1_000_000
    except InvalidOperation as error:
        raise ValueError(f"'{text}' is not an amount: write 12 or 12.50") from error
    if not value.is_finite() or abs(value) > 10**15:
        raise ValueError(f"'{text}' is too much")
    if value != value.to_integral_value():
        raise ValueError(f"'{text}' is finer than a millionth")
    return int(value)


def ago(time: datetime | None) -> str:
    """Return how long ago a time is: `3 min ago`."""
    if time is None:
        return ""
    seconds = (datetime.now(UTC) - time).total_seconds()
    return "now" if seconds < 5 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """Return a length of time in the largest sensible unit: `45 s`, `3 min`, `2.5 h`, `4 d`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 86_400 else f"{seconds / 86_400:.0f} d"


def lasted(start: datetime | None, end: datetime | None) -> str:
    """Return how long something ran, until now when it has no end."""
    return "" if start is None else span(((end or datetime.now(UTC)) - start).total_seconds())


def shape(spec: Any) -> str:
    """Return a spec's shape: `2 cores, 4.0 GiB, 1 x H200`."""
    words = f"{spec.cpu_milli / 1000:g} cores, {size(spec.memory)}"
    return words + (f", {spec.accelerators} x {spec.accelerator_type or 'accelerator'}" if spec.accelerators else "")


def price(per_hour: int, currency: str = "") -> str:
    """Return a price per hour."""
    return "free" if per_hour == 0 else f"{money(per_hour, currency)}/h"
