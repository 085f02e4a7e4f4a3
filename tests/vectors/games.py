# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whole games as sequences of moves, with the state after each: what tests/vectors/game.json pins, and how it is read back.

Moves have the names of the contract's functions. Their game's id is left out: it holds the chain and the accounts, and each
world fills in its own. Times are seconds from the opening of the game.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from unit.small_games import (
    CHALLENGER,
    GAME,
    PROPOSER,
    START,
    chain,
    honest_forest,
    long_argmax,
    long_sum,
    opened,
    silent,
    wide,
    window_max,
)
from vectors.programs import example_inputs, example_program
from verifiable_ml.dispute import liars, player, rules, simulate
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.clock import PROFILES, Side
from verifiable_ml.dispute.forest import Forest, registration, siblings
from verifiable_ml.dispute.game import Game, packed
from verifiable_ml.dispute.moves import (
    Block,
    Described,
    Leaf,
    Move,
    Name,
    Partials,
    Pick,
    PickInterval,
    Reveal,
    Step,
    Timeout,
)
from verifiable_ml.dispute.opening import MISSING, Opening, Run
from verifiable_ml.dispute.simulate import Pace, Player, at_once, last_second
from verifiable_ml.program.identity import header

Json = dict[str, Any]


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def words(nodes: tuple[bytes, ...]) -> list[str]:
    return [hexed(node) for node in nodes]


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def nodes(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(map(raw, texts))


# ---- the cases -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Who plays whom, and why that is worth pinning."""

    why: str
    honest: Forest
    asserted: Forest
    fan_out: int = 6
    profile: int = 0
    proposer: Player | None = None
    challenger: Player | None = None
    paces: tuple[Pace, Pace] = (at_once, at_once)


def cases() -> dict[str, Case]:
    """By name."""
    short, deep = honest_forest(*chain(2)), honest_forest(*wide(2200))
    sums, windows = honest_forest(*long_sum(2100)), honest_forest(*window_max(33))
    logits, example = honest_forest(*long_argmax(1100)), honest_forest(example_program(), example_inputs())
    wrong = liars.one_number(short, 1, 1)
    return {
        "one_block": Case("rule 21: a tensor of at most 4 leaves is entered by its block", short, wrong),
        "bisection": Case("rule 21 with d = 1: four rounds over a trace of 13 tensors", example,
                          liars.one_number(example, 11, 2), fan_out=1),
        "two_walks": Case("rules 21 to 25: both walks, and the short last block", deep,
                          liars.one_number(deep, 2, 2199), fan_out=2),
        "partials": Case("rule 26: three pieces, the record of the channel, a forged second accumulator", sums,
                         liars.one_number(sums, 1, 1, late=0.4)),
        "two_lists": Case("rule 26: 69 pieces, so an interval of two is picked", windows,
                          liars.one_number(windows, 1, 0, late=0.6)),
        "argmax": Case("rules 26 and 38: accumulators with an index, 16 bytes each", logits,
                       liars.one_number(logits, 1, 1, late=0.2)),
        "last_second": Case("rule 41: both sides wait as long as they can; the extension is all that is left then", deep,
                            liars.one_number(deep, 1, 0), fan_out=1, profile=1, paces=(last_second, last_second)),
        "padding": Case("rules 1 and 22: an absent tensor root is another one, so nothing can be revealed", short,
                        liars.WrongNode(short, None, 0, 3)),
        "silent_proposer": Case("rule 41: no answer to a pick, in the local profile", short, wrong, profile=2,
                                proposer=lambda g, m, now: player.proposer(wrong, g, m, now) if not m else None),
        "silent_challenger": Case("rule 41: a challenge of a right assertion, with no pick", short, short, challenger=silent),
        "nothing_wrong": Case("rule 27: the step of a challenger whose own trace is wrong reverts", short, short,
                              challenger=partial(player.challenger, wrong)),
    }  # fmt: skip


def game_vectors() -> dict[str, Json]:
    """The content of game.json."""
    return {name: vector(case) for name, case in cases().items()}


def vector(case: Case) -> Json:
    """What a world needs to set the game up, and its moves."""
    program, forest = case.asserted.program, case.asserted
    inputs, outputs = range(len(program.inputs)), [output.index for output in program.outputs]
    depth, made = len(forest.trace) - 1, {index: index not in inputs for index in outputs}
    return {
        "why": case.why,
        "fan_out": case.fan_out,
        "profile": case.profile,
        "header": hexed(header(program)),
        "descriptors": hexed(registration(program).descriptors),
        "program_id": hexed(program.id),
        "input_count": len(program.inputs),
        "count": len(forest.tensors),
        "inputs": [hexed(forest.data(index)) for index in inputs],
        "outputs": [hexed(forest.data(index)) for index in outputs],
        "output_descriptors": [hexed(forest.descriptor(index)) if made[index] else "0x" for index in outputs],
        "output_descriptor_paths": [words(forest.descriptor_path(index)) if made[index] else [] for index in outputs],
        "paths": [words(siblings(forest.trace, 0, index, depth)) for index in (*inputs, *outputs)],
        "trace_root": hexed(forest.root),
        "own_root": hexed(own_root(case)),
        "moves": list(moves(case)),
    }


def own_root(case: Case) -> bytes:
    return bytes(32) if case.honest.root == case.asserted.root else case.honest.root


def moves(case: Case) -> Iterator[Json]:
    """Each move that is sent, legal or not, with what the game is after it."""
    start = opened(case.asserted, own_root(case), profile=PROFILES[case.profile], fan_out=case.fan_out)
    proposer = case.proposer or partial(player.proposer, case.asserted)
    challenger = case.challenger or partial(player.challenger, case.honest)
    played, game = simulate.play(start, proposer, challenger, paces=case.paces), start
    for now, move in played.moves:
        if isinstance(move, Timeout):
            due = attempt(game, proposer if game.clock.side is Side.PROPOSER else challenger, played)
            if due is not None:  # what it has is no move, neither in time nor late
                yield {**told(due, game, game.clock.start), "legal": False, **after(game)}
            yield {**told(move, game, now - 1), "legal": False, **after(game)}
        else:
            yield {**told(move, game, game.clock.deadline), "legal": False, **after(game)}
        before = game
        game = rules.play(game, move, sender(game), now)
        yield {**told(move, before, now), "legal": True, **after(game)}


def attempt(game: Game, side: Player, played: simulate.Played) -> Move | None:
    before = [move for _, move in played.moves[: game.number]]
    return side(game, before, game.clock.start)


def sender(game: Game) -> bytes:
    return PROPOSER if game.clock.side is Side.PROPOSER else CHALLENGER


# ---- as JSON ---------------------------------------------------------------------------------------------------------


def told(move: Move, game: Game, now: int) -> Json:
    """A move as its calldata, and who sends it when."""
    by = game.clock.side.name.lower()
    return {"by": by, "now": now - START, "number": move.number, "node": hexed(move.node), **body(move, game)}


def body(move: Move, game: Game) -> Json:
    match move:
        case Reveal(children=children, siblings=up, descriptor=descriptor):
            kind = "reveal" if descriptor is None else "enterByReveal"
            return {"move": kind, "children": words(children), "siblings": words(up), **opened_as(descriptor)}
        case Block(data=data, siblings=up, descriptor=descriptor):
            kind = "postBlock" if descriptor is None else "enterByBlock"
            return {"move": kind, "data": hexed(data), "siblings": words(up), **opened_as(descriptor)}
        case Pick(child=child):
            return {"move": "pick", "child": child}
        case Name(element=element, leaf=leaf):
            return {"move": "nameElement", "element": element, **leaf_as(leaf)}
        case Partials():
            record, posted = run_as(move.record or MISSING), packed(game.formed.kind, move.posted)
            named = {"element": move.element, "first": move.first, "partials": hexed(posted)}
            return {"move": "postPartials", **named, "descriptor": hexed(move.descriptor), "record": record}
        case PickInterval(interval=interval, posted=posted):
            return {"move": "pickInterval", "interval": interval, "partials": hexed(packed(game.formed.kind, posted))}
        case Step():
            return step_as(move, game)
    return {"move": "timeout"}


def step_as(move: Step, game: Game) -> Json:
    evidence = {
        "descriptor": hexed(move.descriptor),
        "operands": [{"runs": list(map(run_as, o.runs)), "path": words(o.path)} for o in move.openings],
        "record": run_as(move.record or MISSING),
    }
    if move.leaf is not None:
        return {"move": "stepElement", "element": move.element, **leaf_as(move.leaf), **evidence}
    return {"move": "stepPiece", "piece": move.piece, "partials": hexed(packed(game.formed.kind, move.posted)), **evidence}


def opened_as(descriptor: Described | None) -> Json:
    if descriptor is None:
        return {}
    return {"descriptor": hexed(descriptor.data), "descriptor_siblings": words(descriptor.siblings)}


def leaf_as(leaf: Leaf) -> Json:
    return {"leaf": hexed(leaf.data), "leaf_siblings": words(leaf.siblings)}


def run_as(run: Run) -> Json:
    return {"first": run.first, "data": hexed(run.data), "siblings": words(run.siblings)}


def after(game: Game) -> Json:
    """What a contract stores, under names that no move has."""
    return {
        "after_state": str(game.state),
        "after_number": game.number,
        "after_node": hexed(game.node),
        "after_child": game.child,
        "after_tensor": game.tensor,
        "after_descriptor": hexed(game.descriptor),
        "after_posted": hexed(game.posted),
        "after_dispute": [game.value, game.element, game.first, game.last],
        "after_deadline": game.clock.deadline - START,
        "after_winner": game.outcome.winner.name.lower() if game.outcome else "",
        "after_reason": str(game.outcome.reason) if game.outcome else "",
    }


# ---- and back --------------------------------------------------------------------------------------------------------


def read(sent: Json, game: Game) -> Move:
    """The move that a vector tells, for this game."""
    head = GAME, sent["number"], raw(sent["node"])
    described = Described(raw(sent["descriptor"]), nodes(sent["descriptor_siblings"])) if "descriptor_siblings" in sent else None
    leaf = Leaf(raw(sent["leaf"]), nodes(sent["leaf_siblings"])) if "leaf" in sent else None
    match sent["move"]:
        case "reveal" | "enterByReveal":
            return Reveal(*head, nodes(sent["children"]), nodes(sent["siblings"]), described)
        case "postBlock" | "enterByBlock":
            return Block(*head, raw(sent["data"]), nodes(sent["siblings"]), described)
        case "pick":
            return Pick(*head, sent["child"])
        case "nameElement":
            assert leaf is not None
            return Name(*head, sent["element"], leaf)
        case "postPartials":
            posted = unpacked(game, sent["partials"])
            return Partials(*head, sent["element"], sent["first"], posted, raw(sent["descriptor"]), read_run(sent["record"]))
        case "pickInterval":
            return PickInterval(*head, sent["interval"], unpacked(game, sent["partials"]))
        case "stepElement" | "stepPiece":
            return read_step(sent, game, head, leaf)
    return Timeout(*head)


def read_step(sent: Json, game: Game, head: tuple[bytes, int, bytes], leaf: Leaf | None) -> Step:
    openings = tuple(Opening(tuple(map(read_run, each["runs"])), nodes(each["path"])) for each in sent["operands"])
    posted = unpacked(game, sent["partials"]) if "partials" in sent else ()
    element = sent.get("element", game.element)
    evidence = raw(sent["descriptor"]), openings, read_run(sent["record"])
    return Step(*head, element, sent.get("piece", 0), *evidence, leaf, posted)


def read_run(told: Json) -> Run:
    return Run(told["first"], raw(told["data"]), nodes(told["siblings"]))


def unpacked(game: Game, text: str) -> tuple[Accumulator, ...]:
    """A list of partials, from its bytes."""
    data, width = raw(text), 16 if game.formed.kind == "argmax" else 8
    rows = [data[start : start + width] for start in range(0, len(data), width)]
    return tuple(Accumulator(int.from_bytes(row[:8], "big", signed=True), int.from_bytes(row[8:], "big")) for row in rows)
