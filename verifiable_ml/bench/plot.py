# SPDX-License-Identifier: MIT OR Apache-2.0
"""Lines on two logarithmic axes, as an SVG file that needs no style sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 40, 20, 50
COLOURS = "#2563eb", "#d97706", "#059669", "#7c3aed"


@dataclass(frozen=True)
class Line:
    """points: positive (x, y), x rising."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Picture:
    """A file beside the page, and what it shows in words."""

    file: str
    svg: str
    caption: str


def plot(lines: Sequence[Line], across: str, up: str) -> str:
    """The SVG. across, up: what the axes are."""
    low, high = (tuple(_decades([point[axis] for line in lines for point in line.points])) for axis in (0, 1))
    x, y = _scale(low, LEFT, WIDTH - RIGHT), _scale(high, HEIGHT - BOTTOM, TOP)
    drawn = "".join(_line(line, COLOURS[place % len(COLOURS)], place, x, y) for place, line in enumerate(lines))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        f"{_grid(low, high, x, y)}{drawn}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{across}</text>\n'
        f'<text transform="translate(16 {middle:.0f}) rotate(-90)" text-anchor="middle">{up}</text>\n</svg>\n'
    )


Scale = Callable[[float], float]


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Exponents of ten below and above all values."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)


def _scale(decades: tuple[int, ...], start: float, end: float) -> Scale:
    low, high = decades
    return lambda value: start + (log10(value) - low) * (end - start) / (high - low)


def _grid(across: tuple[int, ...], up: tuple[int, ...], x: Scale, y: Scale) -> str:
    parts = []
    for power in range(across[0], across[1] + 1):
        at = x(10.0**power)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#d1d5db"/>\n')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_number(power)}</text>\n')
    for power in range(up[0], up[1] + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#d1d5db"/>\n')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_number(power)}</text>\n')
    return "".join(parts)


def _number(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"


def _line(line: Line, colour: str, place: int, x: Scale, y: Scale) -> str:
    at = [(x(a), y(b)) for a, b in line.points]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in at)
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>\n' for a, b in at)
    key = f'<text x="{LEFT + 12}" y="{TOP + 18 + 18 * place}" fill="{colour}" font-weight="bold">{line.name}</text>\n'
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>\n{dots}{key}'
