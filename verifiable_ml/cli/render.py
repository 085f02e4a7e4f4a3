# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a person or a machine sees: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from verifiable_ml.errors import VerifiableMlError

WIDE = 132
"""Columns where no terminal says how many: a pipe must not fold ids of 64 digits."""

WORTH_SAYING = 0.1
"""Seconds of an estimate."""

Step = Callable[[str, float | None], None]
"""Told by long work: what it does now, and the share of the whole that is done (None if nobody knows)."""


def _console(stream: Any) -> Console:
    plain = not stream.isatty()
    return Console(file=stream, highlight=False, emoji=False, soft_wrap=plain, width=WIDE if plain else None)


@dataclass(frozen=True)
class Screen:
    """Where a command writes. as_json: one document instead of tables, on the same stream."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(sys.stdout))
    err: Console = field(default_factory=lambda: _console(sys.stderr))

    def show(self, document: dict[str, Any], *parts: RenderableType) -> None:
        """The result: `document` for machines, `parts` for people."""
        if self.as_json:
            self.out.file.write(json.dumps(document, indent=2, sort_keys=True) + "\n")
        self.tell(*parts)

    def tell(self, *parts: RenderableType) -> None:
        """A part of the result that comes while others are still made; machines get it in the document at the end."""
        for part in () if self.as_json else parts:
            if self.out.is_terminal:
                self.out.print(part)
            else:
                self.out.file.write(self._plain(part))

    def _plain(self, part: RenderableType) -> str:
        """Without the spaces to the right that a table fills its columns with."""
        with self.out.capture() as shown:
            self.out.print(part)
        return "".join(f"{line.rstrip()}\n" for line in shown.get().splitlines())

    def line(self, event: str, fields: dict[str, Any]) -> None:
        """One event of a command that goes on: a line for people, a JSON object in a line for machines."""
        if self.as_json:
            self.out.file.write(json.dumps({"event": event, **fields}, sort_keys=True) + "\n")
            self.out.file.flush()
        else:
            self.tell(facts(event, fields.items()))

    def note(self, text: str) -> None:
        """A remark on standard error."""
        self.err.print(Text(text, style="dim"))

    def fail(self, error: VerifiableMlError) -> None:
        """The three fields of an error: on standard error for people, the document on standard output for machines."""
        if self.as_json:
            self.out.file.write(json.dumps(error.to_json(), indent=2, sort_keys=True) + "\n")
            return
        self.err.print(f"[bold red]error[/]: {escape(error.thing)}")
        self.err.print(f"  {escape(error.reason.strip())}")
        self.err.print(f"  [bold]hint[/]: {escape(error.hint)}")

    @contextmanager
    def steps(self, title: str, expected: float | None = None, condition: str = "") -> Iterator[Step]:
        """A bar on a terminal; lines, one a step, elsewhere. Both on standard error. expected: seconds, an estimate.

        condition: when that estimate holds.
        """
        about = " ".join(filter(None, (seconds(expected), condition))) if expected and expected >= WORTH_SAYING else ""
        full = f"{title} (about {about})" if about else title
        if self.err.is_terminal:
            with self._bar() as bar:
                yield _moving(bar, full)
        else:
            yield _Lines(self.err, full)

    @contextmanager
    def waiting(self, title: str) -> Iterator[None]:
        """A sign of life on a terminal, for work that tells no steps and takes seconds."""
        with self.err.status(Text(title)) if self.err.is_terminal else nullcontext():
            yield

    def _bar(self) -> Progress:
        words = TextColumn("[bold]{task.fields[title]}[/]"), BarColumn(bar_width=24), TextColumn("{task.description}")
        return Progress(SpinnerColumn(), *words, TimeElapsedColumn(), console=self.err, transient=True)


def _moving(bar: Progress, title: str) -> Step:
    task = bar.add_task("", title=title, total=None)

    def step(text: str, share: float | None = None) -> None:
        bar.update(task, description=escape(text), total=None if share is None else 1.0, completed=share or 0.0)

    return step


class _Lines:
    """Steps as lines, each text once, at most one a second."""

    def __init__(self, console: Console, title: str) -> None:
        self.console, self.title, self.last, self.at = console, title, "", 0.0

    def __call__(self, text: str, share: float | None = None) -> None:
        del share
        if text != self.last and time.monotonic() - self.at >= 1.0:
            self.console.print(Text(f"{self.title}: {text}", style="dim"))
            self.last, self.at = text, time.monotonic()


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], right: Iterable[str] = ()) -> Table:
    """A plain table. right: names of columns that hold numbers."""
    made = Table(title=Text(title, style="bold") if title else None, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def facts(title: str, pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a line."""
    made = Table(
        title=Text(title, style="bold") if title else None, box=None, title_justify="left", show_header=False, pad_edge=False
    )
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(Text(f"  {name}"), value if isinstance(value, Text) else Text(str(value)))
    return made


def verdict_line(accepted: bool, where: str, reason: str = "") -> Text:
    """ACCEPTED or REJECTED, a word and not only a colour."""
    word = Text("ACCEPTED" if accepted else "REJECTED", style="bold green" if accepted else "bold red")
    return Text.assemble(word, f" {where}", f": {reason}" if reason else "")


def amount(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def seconds(count: float) -> str:
    """A duration as people say it."""
    return f"{count * 1000:.0f} ms" if count < 1 else f"{count:.1f} s" if count < 90 else f"{count / 60:.0f} min"
