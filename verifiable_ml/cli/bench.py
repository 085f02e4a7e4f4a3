# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml bench`: the tables of docs/, measured here and now."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from verifiable_ml.cli.render import Screen, table
from verifiable_ml.errors import InvalidInput

Names = Annotated[list[str] | None, typer.Argument(help="Tables to measure; without one, what there is.", metavar="[NAME]...")]
Markdown = Annotated[bool, typer.Option("--markdown", help="As docs/ holds them.")]


def bench(screen: Screen, names: Names = None, markdown: Markdown = False) -> None:
    """Measure what the documentation's tables say, on this machine. Without a name: list the tables.

    For example:
      vml bench
    """
    tables = known()
    unknown = [name for name in names or () if name not in tables]
    if unknown:
        raise InvalidInput(
            thing=f"table {unknown[0]!r}", reason="there is none of that name", hint=f"one of: {', '.join(tables)}"
        )
    if not names:
        listed = table("", ("table", "measures"), ((name, _says(measure)) for name, measure in tables.items()))
        screen.show({"tables": list(tables)}, listed)
        return
    documents = []
    for name in names:
        with screen.steps(f"bench {name}") as step:
            step("measuring", None)
            measured = tables[name]()
        documents.append(measured.to_json())
        shown = table(measured.title, measured.columns, measured.rows)
        screen.tell(measured.to_markdown() if markdown else shown)
    screen.show({"tables": documents})


def known() -> Mapping[str, Callable[[], Any]]:
    """The tables of verifiable_ml.bench, imported when they are asked for: some need torch."""
    found: Mapping[str, Callable[[], Any]] = importlib.import_module("verifiable_ml.bench").TABLES
    return found


def _says(measure: Callable[[], Any]) -> str:
    return (measure.__doc__ or "").strip().splitlines()[0] if measure.__doc__ else ""
