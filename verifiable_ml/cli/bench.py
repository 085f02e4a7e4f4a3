# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml bench`: the tables of docs/, measured here and now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from verifiable_ml.cli import files
from verifiable_ml.cli.render import Screen, table
from verifiable_ml.errors import InvalidInput

if TYPE_CHECKING:
    from verifiable_ml.bench import Measure, Table

Names = Annotated[list[str] | None, typer.Argument(help="Tables to measure; without one, what there is.", metavar="NAME")]
Every = Annotated[bool, typer.Option("--all", help="Every table.")]
Page = Annotated[Path | None, typer.Option("--output", "-o", help="Write them as a page of documentation as well, markdown.")]


def bench(screen: Screen, names: Names = None, every: Every = False, output: Page = None) -> None:
    """Measure what the documentation's tables say, on this machine. Without a name: list the tables.

    For example:
      vml bench
    """
    from verifiable_ml.bench import TABLES, page  # all that is measured: a second to import

    wanted = list(TABLES) if every else names or []
    unknown = [name for name in wanted if name not in TABLES]
    if unknown:
        raise InvalidInput(
            thing=f"table {unknown[0]!r}", reason="there is none of that name", hint=f"one of: {', '.join(TABLES)}"
        )
    if not wanted:
        listed = table("", ("table", "measures"), ((name, _says(measure)) for name, measure in TABLES.items()))
        screen.show({"tables": list(TABLES)}, listed)
        return
    if output:
        files.target(output, files.PAGE)
    measured = [_measured(screen, name, TABLES[name]) for name in wanted]
    if output:
        files.write(output, page(measured).encode())
        for picture in filter(None, (each.picture for each in measured)):
            files.write(files.target(output.with_name(picture.file), files.PICTURE), picture.svg.encode())
    screen.show({"tables": [each.to_json() for each in measured]})


def _measured(screen: Screen, name: str, measure: Measure) -> Table:
    from verifiable_ml.bench.table import shown

    with screen.steps(f"bench {name}") as step:
        found = measure(step)
    cells = [[shown(cell) for cell in row] for row in found.rows]
    numbers = [name for at, name in enumerate(found.columns) if not any(isinstance(row[at], str) for row in found.rows)]
    screen.tell(table(found.title, found.columns, cells, numbers), *(Text(note, style="dim") for note in found.notes), "")
    return found


def _says(measure: Measure) -> str:
    return (measure.__doc__ or "").strip().splitlines()[0]
