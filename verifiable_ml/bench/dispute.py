# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a dispute costs: a whole game on an EVM for each model, against a lie in its largest operator.

Time is that of this process: running the program, trees, openings and descriptors of both sides, without the EVM.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from verifiable_ml import api
from verifiable_ml.bench.fidelity import seeded
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.daemon import Daemon
from verifiable_ml.dispute.duties import duties
from verifiable_ml.dispute.duty import Challenge, Play
from verifiable_ml.dispute.game import Reason
from verifiable_ml.dispute.liars import LIES
from verifiable_ml.dispute.rehearsal import rehearse
from verifiable_ml.errors import ChainError
from verifiable_ml.execute import encode_inputs, recorder
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Program
from verifiable_ml.proving.base import Progress, silent

MODELS = "digits-mlp", "digits-cnn", "digits-transformer", "lenet5-mnist"
LARGE = "MobileNetV2, 224 x 224"
KINDS = "challenge", "reveal", "pick", "block", "name", "partials", "interval", "step"
COLUMNS = (
    "model", "operators", "lie in", "transactions", "gas", *(f"gas, {kind}" for kind in KINDS), "proposer, s", "watcher, s",
)  # fmt: skip


@dataclass
class Game:
    """What one game took."""

    lie: str = ""
    transactions: int = 0
    gas: dict[str, int] = field(default_factory=dict)
    proposer_seconds: float = 0.0
    watcher_seconds: float = 0.0


def dispute(progress: Progress = silent) -> Table:
    """What a dispute costs: gas of each kind of move, transactions, and seconds of both sides."""
    rows = list[tuple[Cell, ...]]()
    for place, name in enumerate((*MODELS, LARGE)):
        progress(name, place / (len(MODELS) + 1))
        program, inputs = _seeded(name) if name == LARGE else _small(name)
        rows.append(_row(name, program, played(program, inputs)))
    return Table("dispute", "A dispute, from challenge to verdict", COLUMNS, tuple(rows), NOTES)


NOTES = (
    "One number of the operator with the largest output is changed, but for the first operator; the rest is run on that.",
    "Gas of the transactions with all that they pay for calldata; of the kinds that occur twice, the sum.",
    "Seconds: what each side computes, runs and trees included, the EVM's own time not.",
)


def _small(name: str) -> tuple[Program, dict[str, IntArray]]:
    entry = zoo.model(name)
    program = api.compile(entry.path, entry.calibration())
    return program, encode_inputs(program, entry.test(1)[0][0])


def _seeded(name: str) -> tuple[Program, dict[str, IntArray]]:
    case = next(seeded(name))
    program = api.compile(case.model, case.calibration, refuse=False)
    return program, encode_inputs(program, case.held_out[0], saturate=True)


def played(program: Program, inputs: dict[str, IntArray]) -> Game:
    """One game, to its conviction. Raises ChainError if it does not end there."""
    scene, game = rehearse(program, recorder(program)(inputs), LIES["largest"]), Game()
    while _pass(scene.proposer, game) + _pass(scene.watcher, game):
        continue
    match = scene.match
    outcome = match.game.outcome if match else None
    if match is None or outcome is None or (outcome.winner, outcome.reason) != (Side.CHALLENGER, Reason.STEP):
        raise ChainError(thing="a game of the bench", reason="the step does not convict", hint="a fault of ours: report it")
    operator = program.operators[match.game.tensor - len(program.inputs)]
    game.lie = f"{operator.kind}, {'x'.join(map(str, operator.output.shape))}"
    return game


def _pass(side: Daemon, game: Game) -> int:
    """How much one side has sent. What it computes for that is timed apart, since the EVM is in this process as well."""
    docket = side.reader.read(side.account)
    started = time.perf_counter()
    duties(docket, side.role, side.runs)
    took = time.perf_counter() - started
    if side.role.proposes:
        game.proposer_seconds += took
    else:
        game.watcher_seconds += took
    done = side.once()
    for each in done:
        if isinstance(each.duty, Play | Challenge):
            kind = _kind(each.duty)
            game.gas[kind] = game.gas.get(kind, 0) + each.sent.gas_used
            game.transactions += 1
    return len(done)


def _kind(duty: Play | Challenge) -> str:
    name = type(duty.move).__name__.lower() if isinstance(duty, Play) else "challenge"
    return {"pickinterval": "interval"}.get(name, name)


def _row(name: str, program: Program, game: Game) -> tuple[Cell, ...]:
    gas: list[Any] = [game.gas.get(kind, 0) for kind in KINDS]
    total = sum(game.gas.values())
    seconds = game.proposer_seconds, game.watcher_seconds
    return (name, len(program.operators), game.lie, game.transactions, total, *gas, *seconds)
