# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pictures as inline SVG, coloured by the style sheet: bars in tables, and floats against integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, isfinite, log10

WIDTH, HEIGHT = 400, 330
LEFT, BOTTOM, TOP, RIGHT = 52, 40, 10, 14


def bar(value: float, greatest: float, more: float = 0.0, width: int = 130) -> str:
    """A bar of `value` out of `greatest`; its last part, as long as `more`, in full colour. Nothing if nothing is known."""
    if not greatest > 0 or not isfinite(value):
        return ""
    whole = width * min(max(value, 0.0) / greatest, 1.0)
    part = min(width * min(max(more, 0.0) / greatest, 1.0), whole)
    base = _box(0, whole - part, "base") if whole - part >= 0.1 else ""
    full = _box(whole - part, part, "more") if part >= 0.1 else ""
    return f'<svg class="bar" width="{width}" height="10" aria-hidden="true">{base}{full}</svg>'


def _box(start: float, width: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{start:.1f}" width="{max(width, 1.0):.1f}" y="1" height="8" rx="2"/>'


def scatter(points: Sequence[tuple[float, float]], upwards: str = "integers", *, even: bool = True) -> str:
    """Float to the right. On the dashed line integers say the same: where both are equal, or (`even` is not) at 0."""
    points = [point for point in points if all(map(isfinite, point))]
    if not points:
        return ""
    across, up = (_range([point[axis] for point in points]) for axis in (0, 1))
    if even:
        across = up = min(across[0], up[0]), max(across[1], up[1])
    else:
        up = min(up[0], 0.0), max(up[1], 0.0)
    x, y = _scale(*across, LEFT, WIDTH - RIGHT), _scale(*up, HEIGHT - BOTTOM, TOP)
    dots = "".join(f'<circle class="dot" cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.6"/>' for a, b in points)
    ends = up if even else (0.0, 0.0)
    same = f'<line class="even" x1="{x(across[0]):.1f}" y1="{y(ends[0]):.1f}" x2="{x(across[1]):.1f}" y2="{y(ends[1]):.1f}"/>'
    label = f"{len(points)} answers: float to the right, {upwards} upwards"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{_grid(across, up, x, y)}{same}{dots}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">float</text>'
        f'<text transform="translate(12 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle">{upwards}</text>'
        "</svg>"
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    """With a little room on either side."""
    low, high = min(values), max(values)
    room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return low - room, high + room


Scale = Callable[[float], float]


def _grid(across: tuple[float, float], up: tuple[float, float], x: Scale, y: Scale) -> str:
    """Lines and numbers at round values."""
    parts = []
    for tick in ticks(*across):
        parts.append(f'<line class="axis" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{_number(tick)}</text>')
    for tick in ticks(*up):
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y(tick) + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
    return "".join(parts)


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "&minus;", 1) if value < 0 else f"{value:.6g}"


def ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers from low to high."""
    rough = (high - low) / 5
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    first = floor(low / step) + 1
    return [round(step * place, 12) + 0.0 for place in range(first, floor(high / step) + 1)]


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    """From values to places, linear."""
    return lambda value: start + (value - low) * (end - start) / (high - low)
