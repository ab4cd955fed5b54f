"""Plots as SVG text: stacked bars, intervals, and lines. The same numbers make the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#3b6fb6", "#e08a2e", "#8a8a8a", "#5a9e6f", "#b9504f", "#7d5ba6", "#c9b23c")
_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 760, 230, 70, 58, 26


@dataclass(frozen=True)
class Interval:
    """A median with the smallest and the largest."""

    label: str
    median: float
    low: float
    high: float


def stacked_bars(
    title: str, unit: str, rows: Sequence[tuple[str, Mapping[str, float]]], kinds: Sequence[str]
) -> str:
    """One bar for each row, a piece of it for each kind."""
    top = nice(max(sum(values.values()) for _, values in rows))
    scale = (_WIDTH - _LEFT - _RIGHT) / top
    body = [_legend(kinds)]
    for number, (label, values) in enumerate(rows):
        y = _TOP + number * _ROW
        body.append(_label(label, y))
        x = float(_LEFT)
        for kind, colour in zip(kinds, COLOURS, strict=False):
            width = values.get(kind, 0.0) * scale
            body.append(_rect(x, y, width, colour, f"{kind}: {values.get(kind, 0.0):.2f} {unit}"))
            x += width
        body.append(_text(x + 6, y + 14, f"{sum(values.values()):.2f}"))
    return _frame(f"{title} ({unit})", len(rows), top, body)


def intervals(title: str, unit: str, rows: Sequence[Interval], *, one: bool = True) -> str:
    """A point for each row's median, a line from its smallest to its largest; a rule at 1."""
    top = nice(max(row.high for row in rows))
    scale = (_WIDTH - _LEFT - _RIGHT) / top
    body = []
    if one and top > 1:
        x = _LEFT + scale
        end = _TOP + len(rows) * _ROW
        body.append(
            f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{end}" stroke="#b9504f" '
            'stroke-dasharray="4 3"/>'
        )
    for number, row in enumerate(rows):
        y = _TOP + number * _ROW
        low, high, middle = (_LEFT + value * scale for value in (row.low, row.high, row.median))
        body.append(_label(row.label, y))
        body.append(
            f'<line x1="{low:.1f}" y1="{y + 10}" x2="{high:.1f}" y2="{y + 10}" '
            f'stroke="{COLOURS[0]}" stroke-width="3"/>'
        )
        body.append(f'<circle cx="{middle:.1f}" cy="{y + 10}" r="5" fill="{COLOURS[0]}"/>')
        body.append(_text(high + 10, y + 14, f"{row.median:.2f}"))
    return _frame(f"{title} ({unit})", len(rows), top, body)


def lines(title: str, unit: str, series: Mapping[str, Mapping[int, float]]) -> str:
    """A line for each series over sizes, which are powers of ten; y from 0."""
    height, bottom = 300, 250
    sizes = sorted({size for points in series.values() for size in points})
    top = nice(max(value for points in series.values() for value in points.values()))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])
    width = _WIDTH - 90 - 200

    def at(size: int, value: float) -> str:
        x = 60 + (math.log10(size) - first) / max(last - first, 1e-9) * width
        return f"{x:.1f},{bottom - value / top * (bottom - 50):.1f}"

    body = [_text(10, 22, f"{title} ({unit})", bold=True)]
    for step in range(5):
        value = top * step / 4
        y = bottom - step / 4 * (bottom - 50)
        body.append(f'<line x1="60" y1="{y:.1f}" x2="{60 + width}" y2="{y:.1f}" stroke="#ddd"/>')
        body.append(_text(52, y + 4, _number(value), anchor="end"))
    for size in sizes:
        x = at(size, 0).partition(",")[0]
        body.append(_text(float(x), bottom + 18, f"10^{round(math.log10(size))}", anchor="middle"))
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(at(size, points[size]) for size in sorted(points))
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for size, value in sorted(points.items()):
            across, down = at(size, value).split(",")
            body.append(f'<circle cx="{across}" cy="{down}" r="3" fill="{colour}"/>')
        y_label = 60 + number * 20
        body.append(_rect(70 + width, y_label - 10, 12, colour, name, height=12))
        body.append(_text(88 + width, y_label, name))
    return _document(height, body)


def nice(value: float) -> float:
    """The end of an axis: not less than the value, and a round number."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        power * step for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if power * step >= value
    )


def _frame(title: str, rows: int, top: float, body: Sequence[str]) -> str:
    end = _TOP + rows * _ROW
    axis = [_text(10, 22, title, bold=True)]
    for step in range(5):
        x = _LEFT + step / 4 * (_WIDTH - _LEFT - _RIGHT)
        axis.append(f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{end}" stroke="#ddd"/>')
        axis.append(_text(x, end + 16, _number(top * step / 4), anchor="middle"))
    return _document(end + 30, [*axis, *body])


def _document(height: int, body: Sequence[str]) -> str:
    inner = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{inner}\n</svg>\n'
    )


def _legend(kinds: Sequence[str]) -> str:
    parts, x = [], float(_LEFT)
    for kind, colour in zip(kinds, COLOURS, strict=False):
        parts += [_rect(x, 32, 12, colour, kind, height=12), _text(x + 17, 42, kind)]
        x += 34 + 7 * len(kind)
    return "\n".join(parts)


def _label(label: str, y: int) -> str:
    return _text(_LEFT - 8, y + 14, label, anchor="end")


def _rect(x: float, y: float, width: float, colour: str, hint: str, *, height: int = 18) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}">'
        f"<title>{escape(hint)}</title></rect>"
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222"{weight}>'
        f"{escape(text)}</text>"
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}".rstrip("0")
