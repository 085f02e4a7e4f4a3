# SPDX-License-Identifier: MIT OR Apache-2.0
"""A table of figures with what they were measured on: rendered as markdown for docs/, as JSON for machines."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from verifiable_ml.bench.plot import Picture

Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """Columns with units in their names; a row a thing measured; `notes` say what was measured and how."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    machine: str = field(default_factory=lambda: machine())
    picture: Picture | None = None

    def to_json(self) -> dict[str, Any]:
        """One object a row."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"name": self.name, "title": self.title, "rows": rows, "notes": list(self.notes), "machine": self.machine}

    def to_markdown(self) -> str:
        """A section for docs/figures.md."""
        head = f"| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}\n"
        body = "".join(f"| {' | '.join(map(shown, row))} |\n" for row in self.rows)
        notes = "".join(f"- {note}\n" for note in (*self.notes, f"Measured on {self.machine}."))
        shown_too = f"![{self.picture.caption}]({self.picture.file})\n\n" if self.picture else ""
        return f"## {self.title}\n\n`vml bench {self.name}`\n\n{shown_too}{head}{body}\n{notes}"


def page(tables: Sequence[Table]) -> str:
    """docs/figures.md."""
    head = (
        "# Figures\n\n"
        "Measured by `vml bench`, one table a name; `make figures` writes this page anew. Machines are noisy: read the ratios.\n"
    )
    return "\n".join((head, *(table.to_markdown() for table in tables)))


def shown(cell: Cell) -> str:
    """Three significant digits of a float, separators in an integer."""
    if isinstance(cell, bool | str):
        return str(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"


def machine() -> str:
    """What ran it: cores and architecture, no names."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}, load {load:.1f}"
    )
