# SPDX-License-Identifier: MIT OR Apache-2.0
"""A game as people see it: a line a move with the row of nodes that it is about, and the path from the trace to the element."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from verifiable_ml.dispute.docket import Match
from verifiable_ml.dispute.duty import Challenge, Play
from verifiable_ml.dispute.game import Game
from verifiable_ml.dispute.moves import Block, Move, Name, Partials, Pick, PickInterval, Reveal, Step
from verifiable_ml.dispute.walk import BLOCK_BYTES
from verifiable_ml.program import Program


def move_line(by: str, duty: Play | Challenge, gas: int, match: Match, program: Program) -> list[RenderableType]:
    """What was sent, in one line, and below it the row of what was revealed or picked. match: after the move."""
    move, game = duty.move if isinstance(duty, Play) else None, match.game
    style = "red" if by == "proposer" else "cyan"
    head = Text.assemble(
        (f"  {by:<9}", style), (f"{_verb(move):<10}", "bold"), f"{_says(move, game, program):<58}", (f"{gas:>9,} gas", "dim")
    )
    if not game.outcome:
        head.append(f"   clocks {game.clock.proposer:>3} s | {game.clock.challenger:>3} s", "dim")
    row = _row(move, match.moves)
    return [head, *([Text(f"{'':21}") + row] if row else [])]


def _verb(move: object) -> str:
    return {"PickInterval": "interval", "NoneType": "challenge"}.get(type(move).__name__, type(move).__name__.lower())


def _says(move: object, game: Game, program: Program) -> str:
    match move:
        case Reveal() if move.descriptor is not None:
            return f"opens {_operator(game, program)}: {len(move.children)} nodes of its tensor"
        case Reveal():
            return f"shows {len(move.children)} nodes of the {'trace' if game.walk == 1 else 'tensor'}"
        case Pick():
            return f"number {move.child} is the first that differs" + (
                f": {_operator(game, program)}" if game.state == "enter" else ""
            )
        case Block():
            return f"shows the {len(move.data):,} bytes of block {game.child}"
        case Name():
            return f"element {move.element:,} is wrong: show its sums"
        case Partials():
            return f"shows {len(move.posted)} sums of element {move.element:,}"
        case PickInterval():
            return f"interval {move.interval} is the first that differs"
        case Step():
            return f"element {move.element:,}, piece {move.piece}: the contract recomputes it"
    return "my run has another trace root"


def _row(move: Move | None, moves: Sequence[Move]) -> Text | None:
    if isinstance(move, Reveal):
        return Text("[" + "·" * len(move.children) + "]", style="dim")
    if isinstance(move, Pick):
        shown = next(each for each in reversed(moves) if isinstance(each, Reveal))
        right = len(shown.children) - move.child - 1
        return Text.assemble(("[" + "·" * move.child, "dim"), ("█", "bold red"), ("?" * right + "]", "dim"))
    return None


def _operator(game: Game, program: Program) -> str:
    place = game.tensor - len(program.inputs)
    operator = program.operators[place]
    return f"{operator.kind} `{operator.label}`" if operator.label else operator.kind


def path_tree(match: Match, program: Program) -> Tree:
    """From the trace to what was recomputed: where the liar was cornered."""
    game, form = match.game, match.game.form
    tree = Tree(Text(f"trace, {game.terms.program.count} tensors", style="bold"))
    if form is None:
        return tree
    node = tree.add(f"tensor {game.tensor}: {_operator(game, program)}")
    start, blocks = game.child * BLOCK_BYTES // form.dtype.width, -(-form.nbytes // BLOCK_BYTES)
    node = node.add(f"block {game.child} of {blocks}: elements from {start:,} on")
    if match.conviction:
        at = match.conviction
        node = node.add(f"element {at.element:,}" + (f", piece {at.piece} of {form.pieces}" if form.pieces > 1 else ""))
        node.add(Text(f"{at.claimed:,} was asserted, {at.computed:,} was recomputed", style="red"))
    return tree
