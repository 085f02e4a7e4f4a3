# SPDX-License-Identifier: MIT OR Apache-2.0
"""The card of a model, models/NAME/README.md: what it is, how well it answers, which program it is, what a proof takes.

`python -m verifiable_ml.bench.card models` writes every card. Only what is the same on every machine stands on a card;
times and memory are in docs/figures.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from verifiable_ml import api
from verifiable_ml.bench.accuracy import Accuracy, accuracy_of
from verifiable_ml.bench.native import NativeCosts
from verifiable_ml.bench.proving import Costs, costs_of, native_of
from verifiable_ml.frontend import zoo

Line = tuple[str, str]


def card(model: zoo.ZooModel, accuracy: Accuracy, native: NativeCosts, costs: Costs | None) -> str:
    """The page, markdown."""
    program = api.compile(model.path, model.calibration())
    lines = (*about(model), *answers(accuracy), *integers(program), *native_proof(native), *proof(costs))
    rows = "".join(f"| {name} | {value} |\n" for name, value in lines)
    return (
        f"# {model.name}\n\n{model.title[0].upper()}{model.title[1:]}. This card is made by `make cards`.\n\n"
        f"| | |\n|---|---|\n{rows}\n"
        f"```sh\nvml demo --model {model.name}\n```\n\n"
        f"`python models/{model.name}/train.py` trains it again: to the same accuracy, not to the same bytes.\n"
    )


def about(model: zoo.ZooModel) -> Iterable[Line]:
    """What model.json says."""
    shape = " x ".join(map(str, model.input_shape))
    yield "task", f"{model.task}, {len(model.classes)} classes"
    yield "data", f"{model.dataset}: {model.licence}"
    yield "input", f"`{model.input_name}`, {shape}, whole numbers from {model.low:,} to {model.high:,}"
    yield "parameters", f"{model.parameters:,}"


def answers(found: Accuracy) -> Iterable[Line]:
    """On the whole test split."""
    yield "accuracy, float", f"{found.real:.2%} of {found.rows:,} test rows"
    yield "accuracy, integers", f"{found.integer:.2%}; the same decision as the float model on {found.same:.2%}"


def integers(program: api.Program) -> Iterable[Line]:
    """The program."""
    kinds = Counter(operator.kind for operator in program.operators)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield "program id", f"`{program.id.hex()}`"
    yield "operators", f"{len(program.operators)}: {listed}"


def proof(costs: Costs | None) -> Iterable[Line]:
    """By ezkl, nothing hidden."""
    if costs is None:
        yield "proof by ezkl", "none: its circuits cannot express this program exactly"
        return
    yield "circuit", f"{costs.rows:,} rows of 2^{costs.logrows}; proving key {costs.key_bytes / 1e6:,.1f} MB"
    yield "proof by ezkl", f"{costs.proof_bytes:,} bytes; about {round(costs.verify_gas, -4):,} gas to verify"


def native_proof(costs: NativeCosts) -> Iterable[Line]:
    """By our own prover, everything public."""
    yield "native proof", f"{costs.proof_bytes:,} bytes; about {round(costs.verify_gas, -4):,} gas to verify"


def main(root: Path) -> None:
    """Write models/NAME/README.md for each."""
    for name in zoo.names():
        model = zoo.model(name)
        (root / name / "README.md").write_text(card(model, accuracy_of(model), native_of(model), costs_of(model)))
        print(f"{name}: written", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
